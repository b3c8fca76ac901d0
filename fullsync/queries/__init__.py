"""Questions that pages and the terminal ask, by subject."""
