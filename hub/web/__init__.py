"""The web side: the door for webhooks, the console, the API, and what monitors read."""
