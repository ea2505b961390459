"""The JSON API `/api/v2`: used by our own web application and by integrators; described by OpenAPI."""
