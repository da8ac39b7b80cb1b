"""Measurements of inference: stages, chunks, the cache against none, and the server under load."""
