"""The integration API `/api/v1.1`: wire-compatible with what existing clients speak (spec D part 4)."""
