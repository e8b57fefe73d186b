"""The steps of the main road, one module and one public function each.

receive → intake → deliver → track → publish_stock, with reconcile beside them. `docs/why/main-road.md` tells the story.
"""
