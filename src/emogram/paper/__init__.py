"""The paper and the talk, made from the results store: no number in them is typed."""

from emogram.paper.make import Written, can_print, write_paper, write_study_paper

__all__ = ["Written", "can_print", "write_paper", "write_study_paper"]
