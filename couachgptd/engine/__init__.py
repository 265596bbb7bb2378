"""The engine adapters: Ollama, and llama.cpp as our child or as somebody else's server."""
