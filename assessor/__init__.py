"""assessor: which connections between SQL Servers break on the way to SQL Server 2025, and why."""

__version__ = "0.1.0"
