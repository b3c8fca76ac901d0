"""What was agreed to, made true act by act; each act can be repeated."""
