"""The policy server: openpi's websocket protocol in front of a table of episodes."""
