"""The steps of a verification, in their order, and what each promises."""

from lakehouse.verify.building import build, build_again, landing_tests, parity, registrations
from lakehouse.verify.forgetting import erase, remove
from lakehouse.verify.landing import land, land_again, two_loaders
from lakehouse.verify.run import Step
from lakehouse.verify.usage import usage
from lakehouse.verify.world import World

_LANDED, _BUILT, _BUILT_AGAIN = ("land",), ("build",), ("build_again",)

STEPS = (
    Step[World]("land", "what is landed lies there as the ledger counts it", land),
    Step("land_again", "landing the same files again changes no object", land_again, _LANDED),
    Step("two_loaders", "of two loaders at once one waits or refuses, and no record lands twice", two_loaders, _LANDED),
    Step("registrations", "a killed registration, and two at once, leave the ledger's rows", registrations, _LANDED),
    Step("build", "every model is built, and every test passes", build, _LANDED),
    Step("landing_tests", "the landing tables hold what was landed, by counts and checksums", landing_tests, _BUILT),
    Step("build_again", "a second build gives the same rows", build_again, _BUILT),
    Step("parity", "every row of every relation is as on DuckDB", parity, _BUILT_AGAIN),
    Step("erase", "of somebody who is erased nothing is left but old versions that expire", erase, _BUILT_AGAIN),
    Step("usage", "the engine says what all this used", usage),
    Step("remove", "nothing is left of what the verification made", remove),
)
