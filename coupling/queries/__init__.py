"""What the pages ask the database, by subject; answers are frozen dataclasses."""
