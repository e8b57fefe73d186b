"""Who runs the steps, and when. The tables are the truth; the engine only says which door has mail.

A door is a text: "inbox:<partition>", "outbox:<connection>", "stock:<connection>", "stock" (all channels),
"poll:<connection>:<stream>", "watch:<connection>" (its webhook subscriptions).
"""
