"""A study: a question, a base configuration, what is changed about it, and honest statistics over the runs."""
