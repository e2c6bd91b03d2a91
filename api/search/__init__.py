"""Finding cities and job titles within one release."""
