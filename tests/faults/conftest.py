"""The fixtures of the fault table on the fake service."""

from tests.faults.service import patient, service

__all__ = ["patient", "service"]
