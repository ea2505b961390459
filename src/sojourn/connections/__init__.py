"""Connections: outside databases and file servers that imports and rules read from. Their secrets are encrypted at rest."""
