"""Who may log in to Redshift's endpoint, and as which readers the whole run names them."""

PASSWORD = "Reads-1-thing-only"  # noqa: S105 - of an endpoint that ends with the tests
READERS = {
    "data_scientists": ["group:data_scientists"],
    "engineers": ["role:engineers"],
    "privacy_officers": ["officer"],
    "sparkify_analysts": ["user:analyst"],
    "study_team": ["researcher"],
}
PEOPLE = ("scientist", "researcher", "engineer", "officer", "analyst", "stranger")
GROUPS_AND_ROLES = (
    "create group data_scientists with user scientist",
    "create role engineers",
    "grant role engineers to engineer",
    "create schema notes authorization scientist",
)
"""Users of every kind that can be given rights: by a group, by a role, by name; the stranger is given none."""
