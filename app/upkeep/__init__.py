"""Upkeep of itself: looks at the jobs and at what they stand on, and says what is wrong and what to do."""
