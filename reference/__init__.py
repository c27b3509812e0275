"""The reference release: a small real application that keeps the guide, and the ways to break it.

The suite knows this package through ``fixtures/embedded.py`` alone. Nothing here imports from the
suite.
"""
