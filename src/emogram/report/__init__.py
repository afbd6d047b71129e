"""The report of a run: one HTML page that explains a result to somebody who was not there."""

from emogram.report.page import write_folds_report, write_report

__all__ = ["write_folds_report", "write_report"]
