"""Doors: translate a request in, make one call, translate the answer out."""
