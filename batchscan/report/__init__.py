"""The report of a run, and its formats for programs and for people."""

from batchscan.report.build import build
from batchscan.report.run_folder import make_run_folder, point_latest, write_report
from batchscan.report.schema import Latency, Report, encode, json_schema
from batchscan.report.text import summary

__all__ = [
    "Latency",
    "Report",
    "build",
    "encode",
    "json_schema",
    "make_run_folder",
    "point_latest",
    "summary",
    "write_report",
]
