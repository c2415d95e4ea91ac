"""Inspecting and uploading pictures, on this machine or on a cluster."""
