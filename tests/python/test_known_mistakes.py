"""Every well-known wrong answer, made on purpose in the models: the tests that guard against it must fail.

On the real data the wrong models must also give the very numbers that are published for the mistakes, which shows that
it is those mistakes that are made here. A mistake is made in the SQL that dbt compiled, and its rows are built in a
transaction that is rolled back: dbt itself starts only for the unit tests.
"""

import json
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import duckdb
import pytest

from dbt_project import DbtProject
from real_data import needs_real_data

SONGPLAYS = "models/sparkify/marts/songplays.sql"
PLAYS = "models/sparkify/intermediate/int_sparkify__song_plays.sql"
USERS = "models/sparkify/marts/users.sql"
ARTISTS = "models/sparkify/marts/artists.sql"
SONGS = "models/sparkify/marts/songs.sql"
TIME = "models/sparkify/marts/time.sql"
EVENTS = "models/sparkify/staging/stg_sparkify__events.sql"
SONG_RECORDS = "models/sparkify/staging/stg_sparkify__songs.sql"
OWNERS = "models/stedi/intermediate/int_stedi__step_reading_owners.sql"
CUSTOMER_TRUSTED = "models/stedi/trusted/customer_trusted.sql"
STEP_TRAINER_TRUSTED = "models/stedi/trusted/step_trainer_trusted.sql"
ACCELEROMETER_TRUSTED = "models/stedi/trusted/accelerometer_trusted.sql"
CUSTOMER_CURATED = "models/stedi/curated/customer_curated.sql"
V1 = "models/stedi/curated/machine_learning_curated_v1.sql"
PAIRS = "models/stedi/curated/sensor_pairs_curated.sql"
BY_NOW = "<= (select last_landing.last_landed_at from last_landing)"
V3 = "models/stedi/curated/machine_learning_curated_v3.sql"

Edits = tuple[tuple[str, str, str], ...]

USERS_PER_LEVEL: Edits = ((USERS, "group by user_id", "group by user_id, level"),)
ARTISTS_AS_RECORDED: Edits = (
    (
        ARTISTS,
        "where preference = 1",
        "group by all",
    ),
)
NO_REPAIR: Edits = (
    (PLAYS, "coalesce(title_repairs.repaired_text, plays.song_title)", "plays.song_title"),
    (PLAYS, "coalesce(artist_repairs.repaired_text, plays.artist_name)", "plays.artist_name"),
)
EVERY_CANDIDATE: Edits = (
    (SONGPLAYS, "where closeness = 1", ""),
    (SONGPLAYS, "left join matches", "inner join matches"),
)
MATCHED_STAR = """
    sparkify.songplays
    inner join sparkify.users using (user_id)
    inner join sparkify.artists using (artist_id)
    where songplays.song_id is not null
"""
STAR_OF_USERS = "sparkify.songplays inner join sparkify.users using (user_id)"


@dataclass(frozen=True)
class Mistake:
    """A mistake that people make in these models.

    Attributes:
        name: What is done wrong.
        edits: File, text in it, and what stands there instead when the mistake is made.
        rebuild: The models to run again.
        caught_by: The tests that must fail on any data that has the trap.
        only_on_sample: Further ones, whose trap the real data does not have.
        published: What the mistake is known to give on the real data: rows by relation, or by join.
    """

    name: str
    edits: Edits
    rebuild: str
    caught_by: tuple[str, ...] = ()
    only_on_sample: tuple[str, ...] = ()
    published: Mapping[str, int] = field(default_factory=dict)

    def make(self, project: DbtProject) -> None:
        """Makes the mistake in the files of a project."""
        for file, right, wrong in self.edits:
            path = project.folder / file
            sql = path.read_text()
            assert sql.count(right) == 1, (
                f"{file} holds {right!r} {sql.count(right)} times: bring the mistake up to date"
            )
            path.write_text(sql.replace(right, wrong))


MISTAKES = (
    # ------------------------------------------------------------------------------------------------ Sparkify
    Mistake(
        "plays matched by title alone",
        (*EVERY_CANDIDATE, (SONGPLAYS, "            and plays.artist_name = songs.artist_name\n", "")),
        "songplays",
        (
            "assert_plays_match_by_title_artist_and_closest_duration",
            "assert_every_play_is_kept",
            "unique_songplays_songplay_id",
            "plays_match_by_title_artist_and_closest_duration",
        ),
    ),
    Mistake(
        "plays matched by title alone, text not repaired",
        (*NO_REPAIR, *EVERY_CANDIDATE, (SONGPLAYS, "            and plays.artist_name = songs.artist_name\n", "")),
        "int_sparkify__song_plays songplays",
        ("assert_plays_match_by_title_artist_and_closest_duration", "unique_songplays_songplay_id"),
        published={"sparkify.songplays": 1_144},
    ),
    Mistake(
        "plays matched by artist alone, text not repaired",
        (*NO_REPAIR, *EVERY_CANDIDATE, (SONGPLAYS, "plays.song_title = songs.title\n            and ", "")),
        "int_sparkify__song_plays songplays",
        (
            "assert_plays_match_by_title_artist_and_closest_duration",
            "unique_songplays_songplay_id",
            "plays_match_by_title_artist_and_closest_duration",
        ),
        published={"sparkify.songplays": 9_957},
    ),
    Mistake(
        "only the plays that match are kept",
        ((SONGPLAYS, "left join matches", "inner join matches"),),
        "songplays",
        ("assert_every_play_is_kept", "plays_match_by_title_artist_and_closest_duration"),
        published={"sparkify.songplays": 341},
    ),
    Mistake(
        "a page that does not exist is asked for",
        ((PLAYS, "page = 'NextSong'", "page = 'Next Song'"),),
        "int_sparkify__song_plays songplays",
        ("assert_every_play_is_kept", "plays_are_repaired_in_the_open"),
        published={"sparkify.songplays": 0},
    ),
    Mistake(
        "twice-encoded text is left as it is",
        NO_REPAIR,
        "int_sparkify__song_plays songs_by_session_item songplays",
        ("assert_no_text_is_left_garbled", "assert_expected_measures", "plays_are_repaired_in_the_open"),
        published={"sparkify.songplays where song_id is not null": 333},
    ),
    Mistake(
        "of two recordings, any is taken",
        (
            (
                SONGPLAYS,
                "abs(songs.duration_s - plays.song_duration_s)",
                "-abs(songs.duration_s - plays.song_duration_s)",
            ),
        ),
        "songplays",
        ("plays_match_by_title_artist_and_closest_duration",),
        only_on_sample=("assert_plays_match_by_title_artist_and_closest_duration",),
    ),
    Mistake(
        "a user stands once for each level",
        USERS_PER_LEVEL,
        "users",
        ("unique_users_user_id", "assert_star_joins_without_fan_out", "users_have_their_latest_level"),
        published={"sparkify.users": 105, STAR_OF_USERS: 9_903},
    ),
    Mistake(
        "a player stands once for each level",
        (*USERS_PER_LEVEL, (USERS, "where user_id is not null", "where user_id is not null and page = 'NextSong'")),
        "users",
        ("unique_users_user_id", "assert_star_joins_without_fan_out"),
        published={"sparkify.users": 104, STAR_OF_USERS: 9_903},
    ),
    Mistake(
        "a user has the level of the first event",
        ((USERS, "occurred_at desc, session_id desc, item_in_session desc", "occurred_at asc"),),
        "users",
        ("assert_levels_agree_with_events", "users_have_their_latest_level"),
    ),
    Mistake(
        "an artist stands once for each record",
        ARTISTS_AS_RECORDED,
        "artists",
        ("unique_artists_artist_id", "assert_star_joins_without_fan_out", "artists_are_one_whole_record"),
        published={"sparkify.artists": 10_025},
    ),
    Mistake(
        "matched plays fan out over the records of an artist",
        (*NO_REPAIR, *ARTISTS_AS_RECORDED),
        "int_sparkify__song_plays songplays artists users",
        ("unique_artists_artist_id", "assert_star_joins_without_fan_out"),
        published={MATCHED_STAR: 384},
    ),
    Mistake(
        "matched plays fan out over the levels of a user",
        (*NO_REPAIR, *USERS_PER_LEVEL),
        "int_sparkify__song_plays songplays artists users",
        ("unique_users_user_id", "assert_star_joins_without_fan_out"),
        published={MATCHED_STAR: 477},
    ),
    Mistake(
        "matched plays fan out over both",
        (*NO_REPAIR, *ARTISTS_AS_RECORDED, *USERS_PER_LEVEL),
        "int_sparkify__song_plays songplays artists users",
        ("unique_artists_artist_id", "unique_users_user_id", "assert_star_joins_without_fan_out"),
        published={MATCHED_STAR: 547},
    ),
    Mistake(
        "time is taken from all events",
        (
            (TIME, "select * from {{ ref('songplays') }}", "select * from {{ ref('stg_sparkify__events') }}"),
            (TIME, "select distinct start_time", "select distinct occurred_at as start_time"),
        ),
        "time",
        ("assert_time_is_of_plays_only",),
        published={"sparkify.time": 8_023},
    ),
    Mistake(
        "durations are rounded to whole seconds",
        (
            (
                SONGS,
                "duration_s as duration",
                "cast(cast(duration_s as decimal(18, 0)) as double precision) as duration",
            ),
        ),
        "songs",
        ("assert_songs_and_artists_are_as_landed",),
    ),
    Mistake(
        "an artist's place and coordinates come from different records",
        (
            (ARTISTS, "artist_location as location", "max(artist_location) as location"),
            (ARTISTS, "artist_latitude as latitude", "min(artist_latitude) as latitude"),
            (ARTISTS, "artist_longitude as longitude", "max(artist_longitude) as longitude"),
            (ARTISTS, "artist_name as name", "min(artist_name) as name"),
            (ARTISTS, "where preference = 1", "group by artist_id"),
        ),
        "artists",
        ("assert_songs_and_artists_are_as_landed", "artists_are_one_whole_record"),
    ),
    Mistake(
        "the unknown year 0 is taken for a year",
        ((SONG_RECORDS, "nullif(year, 0)", "year"),),
        "stg_sparkify__songs songs",
        ("assert_songs_and_artists_are_as_landed", "songs_get_nulls_for_what_is_unknown"),
    ),
    Mistake(
        "a song that was corrected stays as it was",
        ((SONG_RECORDS, "landed_at desc", "landed_at asc"),),
        "stg_sparkify__songs",
        ("the_song_record_that_was_landed_last_counts",),
    ),
    Mistake(
        "an event that was corrected stays as it was",
        ((EVENTS, "landed_at desc", "landed_at asc"),),
        "stg_sparkify__events",
        ("the_event_record_that_was_landed_last_counts",),
    ),
    Mistake(
        "a user is what the latest event says, known or not",
        ((USERS, "user_id, case when first_name is null then 1 else 0 end", "user_id"),),
        "users",
        ("users_keep_what_a_later_event_does_not_know",),
    ),
    # --------------------------------------------------------------------------------------------------- STEDI
    Mistake(
        "machine learning with every step there is",
        ((V1, "ref('step_trainer_trusted')", "ref('stg_stedi__step_readings')"),),
        "machine_learning_curated.v1",
        ("assert_machine_learning_v1_is_of_who_consents",),
        published={"stedi.machine_learning_curated": 46_022},
    ),
    Mistake(
        "machine learning with every step and every acceleration there is",
        (
            (V1, "ref('step_trainer_trusted')", "ref('stg_stedi__step_readings')"),
            (V1, "ref('accelerometer_trusted')", "ref('stg_stedi__accelerometer_readings')"),
        ),
        "machine_learning_curated.v1",
        ("assert_machine_learning_v1_is_of_who_consents",),
        published={"stedi.machine_learning_curated": 90_742},
    ),
    Mistake(
        "a customer stands once for each reading",
        (
            (
                CUSTOMER_CURATED,
                "where email in (select walking_spellings.email from walking_spellings)",
                "inner join accelerometer_readings using (email)",
            ),
        ),
        "customer_curated",
        ("unique_customer_curated_email", "curated_customers_have_readings_and_come_once"),
        published={"stedi.customer_curated": 40_981},
    ),
    Mistake(
        "steps joined to customers on nothing useful",
        (
            (
                STEP_TRAINER_TRUSTED,
                "reading_owners.owner_token = consenting.customer_pseudonym\n",
                "reading_owners.owner_token <> 'nobody' and consenting.customer_pseudonym <> 'nobody'\n",
            ),
            (
                STEP_TRAINER_TRUSTED,
                "count(\n"
                "            case when consent_periods.canonical_email is null then consenting.customer_pseudonym end\n"
                "        ) as consenting_owners",
                "consenting.customer_pseudonym as consenting_owners",
            ),
            (
                STEP_TRAINER_TRUSTED,
                "        reading_owners.possible_owners\n\n",
                "        reading_owners.possible_owners,\n        consenting.customer_pseudonym\n\n",
            ),
            (STEP_TRAINER_TRUSTED, "where consenting_owners = possible_owners", ""),
        ),
        "step_trainer_trusted",
        ("unique_combination_step_trainer_trusted_serial_number__sensor_reading_time__distance_from_object",),
        published={"stedi.step_trainer_trusted": 13_823_760},
    ),
    Mistake(
        "everybody is trusted",
        ((CUSTOMER_TRUSTED, f"and share_with_research_as_of_date {BY_NOW}", ""),),
        "customer_trusted accelerometer_trusted customer_curated",
        (
            "assert_customer_trusted_is_who_consents",
            "assert_accelerometer_trusted_is_of_who_consents",
            "assert_customer_curated_is_who_consents_and_walks",
            "the_latest_record_decides_on_consent",
        ),
        published={"stedi.customer_trusted": 956},
    ),
    Mistake(
        "some who consent are lost",
        (
            (
                CUSTOMER_TRUSTED,
                f"share_with_research_as_of_date {BY_NOW}",
                f"share_with_public_as_of_date {BY_NOW}",
            ),
        ),
        "customer_trusted accelerometer_trusted",
        ("assert_customer_trusted_is_who_consents", "assert_accelerometer_trusted_is_of_who_consents"),
        published={"stedi.customer_trusted": 491},
    ),
    Mistake(
        "a consent that was withdrawn still counts",
        (
            (
                "models/stedi/intermediate/int_stedi__customer_records.sql",
                "select * from {{ ref('stg_stedi__customers') }}",
                "select * from {{ ref('stg_stedi__customers') }} where share_with_research_as_of_date is not null",
            ),
            (
                "models/stedi/intermediate/int_stedi__customer_records.sql",
                "select * from {{ ref('stg_stedi__customer_withdrawals') }}",
                "select * from {{ ref('stg_stedi__customer_withdrawals') }} where 1 = 0",
            ),
        ),
        "int_stedi__customer_records customer_trusted accelerometer_trusted",
        ("one_record_of_a_moment_decides",),
        only_on_sample=("assert_customer_trusted_is_who_consents", "assert_accelerometer_trusted_is_of_who_consents"),
    ),
    Mistake(
        "a shared device is trusted as soon as one of its owners consents",
        (
            (
                STEP_TRAINER_TRUSTED,
                "where consenting_owners = possible_owners",
                "where consenting_owners > 0",
            ),
        ),
        "step_trainer_trusted",
        ("steps_are_trusted_if_everybody_possible_consents",),
        only_on_sample=("assert_step_trainer_trusted_is_of_who_consents",),
    ),
    Mistake(
        "every owner of a shared device is taken for the walker",
        ((OWNERS, "counted_owners.owners_of_device = 1\n        or step_claims.owner_token is not null", "true"),),
        "int_stedi__step_reading_owners step_trainer_trusted sensor_pairs_curated machine_learning_curated.v2",
        ("shared_devices_are_told_apart_by_the_accelerometer",),
        only_on_sample=("assert_step_trainer_trusted_is_of_who_consents",),
    ),
    Mistake(
        "v2 teaches a step that two people can have made",
        ((PAIRS, "    where reading_owners.possible_owners = 1\n", ""),),
        "sensor_pairs_curated machine_learning_curated.v2",
        ("pairs_are_of_one_person_under_consent",),
        only_on_sample=("assert_machine_learning_v2_is_one_persons_under_consent",),
    ),
    Mistake(
        "a level's history has a row for each event",
        (("models/sparkify/marts/user_level_history.sql", "previous_level is null\n", "true\n"),),
        "user_level_history",
        (
            "intervals_are_gapless_user_level_history_user_id__valid_from__valid_to__level",
            "levels_change_inside_a_session",
        ),
    ),
    Mistake(
        "accelerations joined to customers, once for each record",
        (
            (
                ACCELEROMETER_TRUSTED,
                "    left join consent_periods\n",
                "    inner join (select email from customers union all select email from customers) as twice\n"
                "        on readings.email = twice.email\n    left join consent_periods\n",
            ),
        ),
        "accelerometer_trusted",
        (
            "unique_combination_accelerometer_trusted_email__reading_time__x__y__z",
            "readings_of_consenting_customers_come_once",
        ),
    ),
    Mistake(
        "v2 uses readings from before the consent",
        ((PAIRS, "            and accelerometer_readings.reading_time >= consent_periods.in_force_from\n", ""),),
        "sensor_pairs_curated machine_learning_curated.v2",
        ("assert_machine_learning_v2_is_one_persons_under_consent", "pairs_are_of_one_person_under_consent"),
        published={"stedi.machine_learning_curated_v2": 40_981},
    ),
    Mistake(
        "v2 pairs by the timestamp alone",
        (
            (PAIRS, "owned_steps.owner_token = identities.customer_pseudonym\n            and ", ""),
            (
                PAIRS,
                "select distinct\n        identities.canonical_email",
                "select\n        identities.canonical_email",
            ),
        ),
        "sensor_pairs_curated machine_learning_curated.v2",
        ("assert_machine_learning_v2_is_one_persons_under_consent",),
        published={"stedi.machine_learning_curated_v2": 34_437},
    ),
    Mistake(
        "v3 counts time from the person's first reading of all",
        ((V3, "* 60000 then 0", "* 60000000000 then 0"),),
        "machine_learning_curated.v3",
        ("v3_counts_time_within_a_session",),
    ),
    Mistake(
        "v3 has the pseudonym that lasts",
        ((V3, "        profiles.release_pseudonym,\n", "        sessions.customer_pseudonym as release_pseudonym,\n"),),
        "machine_learning_curated.v3",
        ("v3_counts_time_within_a_session", "assert_v3_has_the_pseudonyms_of_its_release"),
    ),
    Mistake(
        "the age moves with each record",
        (
            (
                "models/stedi/intermediate/int_stedi__customer_profiles.sql",
                "min(coalesce(registration_date, last_update_date))",
                "max(last_update_date)",
            ),
        ),
        "int_stedi__customer_profiles",
        ("a_profile_tells_a_band_and_no_birthday",),
    ),
    Mistake(
        "age bands are published, however few share them",
        (("models/stedi/curated/age_bands_curated.sql", "then 'withheld'", "then age_band"),),
        "age_bands_curated",
        ("age_bands_that_few_share_are_withheld",),
    ),
)


@dataclass
class Laboratory:
    """A copy of a built project, in which mistakes are made and undone.

    Attributes:
        right: The project as it was built; it is not touched.
        project: The copy.
    """

    right: DbtProject
    project: DbtProject

    @cached_property
    def nodes(self) -> dict[str, dict[str, Any]]:
        """The models and data tests as dbt compiled them, by name; of a version, as it is selected."""
        manifest = json.loads((self.right.folder / "target/manifest.json").read_text())
        return {
            f"{node['name']}.v{node['version']}" if node.get("version") else node["name"]: node
            for node in manifest["nodes"].values()
            if node["resource_type"] in ("model", "test")
        }

    def compiled(self, text: str) -> str:
        """A piece of a model with the names of relations in place of its refs."""
        return re.sub(
            r"\{\{ ref\('(\w+)'\) \}\}|ref\('(\w+)'\)",
            lambda found: str(self.nodes[found[1] or found[2]]["relation_name"]),
            text,
        )

    @contextmanager
    def mistaken(self, mistake: Mistake) -> "Iterator[duckdb.DuckDBPyConnection]":
        """The database with the mistake in it."""
        with duckdb.connect(str(self.project.database)) as connection:
            connection.execute("begin")
            for name in mistake.rebuild.split():
                node = self.nodes[name]
                sql = node["compiled_code"]
                for file, right, wrong in mistake.edits:
                    if file == node["original_file_path"]:
                        assert self.compiled(right) in sql, f"{file}: {right!r} is not what dbt compiled"
                        sql = sql.replace(self.compiled(right), self.compiled(wrong))
                connection.execute(f"create or replace table {node['relation_name']} as {sql}")
            yield connection
            connection.execute("rollback")

    def units(self, mistake: Mistake) -> set[str]:
        """The guards that are unit tests."""
        return {*mistake.caught_by, *mistake.only_on_sample} - self.nodes.keys()

    def unit_test(self, mistake: Mistake) -> dict[str, str]:
        """What becomes of the unit tests that guard against a mistake, by dbt itself."""
        units = self.units(mistake)
        if not units:
            return {}
        for model in (self.right.folder / "models").rglob("*.sql"):
            copy = self.project.folder / model.relative_to(self.right.folder)
            if copy.read_bytes() != model.read_bytes():
                shutil.copyfile(model, copy)
        mistake.make(self.project)
        return self.project.dbt("test", "--select", " ".join(sorted(units)))


@pytest.fixture(scope="module")
def laboratory(
    built_project: Callable[[str], DbtProject], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Laboratory]:
    """Gives the laboratory of a data set, one for all mistakes."""
    folder = tmp_path_factory.mktemp("mistakes")

    def of(dataset: str) -> Laboratory:
        right = built_project(dataset)
        project = DbtProject(folder / dataset, right.zone, dataset)
        if not project.folder.exists():
            shutil.copytree(right.folder, project.folder)
        return Laboratory(right, project)

    return of


def silent_guards(connection: duckdb.DuckDBPyConnection, nodes: Mapping[str, Any], guards: Iterable[str]) -> set[str]:
    """The data tests that find nothing."""
    return {guard for guard in guards if not connection.execute(nodes[guard]["compiled_code"]).fetchone()}


def test_every_mistake_is_of_the_models_of_today(laboratory: Callable[[str], Laboratory]) -> None:
    """And each is made in a model that is built again."""
    lab = laboratory("sample")
    for mistake in MISTAKES:
        rebuilt = {lab.nodes[name]["original_file_path"] for name in mistake.rebuild.split()}
        for file, right, _ in mistake.edits:
            times = (lab.right.folder / file).read_text().count(right)
            assert times == 1, f"{file} holds {right!r} {times} times: bring {mistake.name!r} up to date"
            assert file in rebuilt, mistake.name


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name)
def test_mistake_is_caught(laboratory: Callable[[str], Laboratory], mistake: Mistake) -> None:
    lab = laboratory("sample")
    units = lab.units(mistake)
    guards = {*mistake.caught_by, *mistake.only_on_sample} - units
    if guards:
        with lab.mistaken(mistake) as connection:
            assert silent_guards(connection, lab.nodes, guards) == set()
    assert lab.unit_test(mistake) == dict.fromkeys(units, "fail")


@needs_real_data
@pytest.mark.parametrize(
    "mistake", [mistake for mistake in MISTAKES if mistake.published], ids=lambda mistake: mistake.name
)
def test_mistake_is_the_published_one_and_caught(laboratory: Callable[[str], Laboratory], mistake: Mistake) -> None:
    """What unit tests find they find on any data, see above."""
    lab = laboratory("udacity")
    with lab.mistaken(mistake) as connection:
        assert {relation: count(connection, relation) for relation in mistake.published} == dict(mistake.published)
        assert silent_guards(connection, lab.nodes, {*mistake.caught_by} - lab.units(mistake)) == set()


@pytest.mark.parametrize("dataset", ["sample", pytest.param("udacity", marks=needs_real_data)])
def test_without_a_mistake_no_guard_finds_anything(laboratory: Callable[[str], Laboratory], dataset: str) -> None:
    lab = laboratory(dataset)
    guards = {
        guard for mistake in MISTAKES for guard in (*mistake.caught_by, *mistake.only_on_sample)
    } & lab.nodes.keys()
    with duckdb.connect(str(lab.project.database), read_only=True) as connection:
        assert silent_guards(connection, lab.nodes, guards) == guards


def count(connection: duckdb.DuckDBPyConnection, relation: str) -> int:
    ((rows,),) = connection.execute(f"select count(*) from {relation}").fetchall()  # noqa: S608 - the tests' own names
    return int(rows)
