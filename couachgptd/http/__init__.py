"""The web adapter: aiohttp pages, sessions and the WebSocket."""
