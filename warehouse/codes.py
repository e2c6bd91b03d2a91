"""What the codes of the field look like, as regular expressions."""

COMMUNE = r"^(?:\d{2}|2[AB])\d{3}$"
DEPARTMENT = r"^(?:\d{2}|2[AB]|9[78]\d)$"
POSTAL_CODES = r"^\d{5}(?:/\d{5})*$"
ROME = r"^[A-N]\d{4}$"
PCS = r"^\d{3}[0-9a-z]$"
FAP = r"^[A-Z]\d[A-Z]\d{2}$"
FACILITY_TYPE = r"^[A-G]\d{3}$"
