"""The wheel: what is in it, and that it serves README.md's project where nothing else is installed.

The latter fetches dbt-redshift into empty environments, which takes minutes: `ALL=1` runs it, for every Python that uv
finds.
"""

import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from test_page import FILES

PACKAGE = Path(__file__).parents[1]
UV = Path(sysconfig.get_path("scripts"), "uv")

pytestmark = pytest.mark.skipif(not UV.exists(), reason="NOT TESTED: there is no uv beside this Python")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [str(UV), "build", "--wheel", "--offline", "--no-build-isolation", "--out-dir", str(folder), str(PACKAGE)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (built,) = folder.glob("*.whl")
    return built


def test_all_of_the_package_is_in_the_wheel(wheel: Path) -> None:
    """The SQL, the lists of names and the checksums as well, without which an engine does not start."""
    source = PACKAGE / "src"
    files = {
        str(path.relative_to(source))
        for path in source.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".pyc"
    }
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name and not name.endswith("/")}
        (metadata,) = (name for name in archive.namelist() if name.endswith("/METADATA"))
        said = archive.read(metadata).decode()
    assert packed == files
    assert "\nLicense-Expression: Apache-2.0\n" in said
    assert "\nClassifier: Programming Language :: Python :: 3.13\n" in said
    assert "\nProvides-Extra: redshift\n" in said


@pytest.mark.skipif("ALL" not in os.environ, reason="ALL=1 runs it: it fetches dbt into empty environments")
@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13"])
def test_the_pages_example_runs_in_an_empty_environment(wheel: Path, tmp_path: Path, version: str) -> None:
    found = subprocess.run([UV, "python", "find", "--system", version], capture_output=True, text=True, check=False)
    if found.returncode != 0:
        pytest.skip(f"NOT TESTED: there is no Python {version}")
    environment = tmp_path / "environment"
    subprocess.run([UV, "venv", "--quiet", "--python", found.stdout.strip(), environment], check=True)
    packages = (f"{wheel}[redshift]", "dbt-core==1.11.*", "dbt-redshift==1.11.*")
    subprocess.run([UV, "pip", "install", "--quiet", "--python", str(environment), *packages], check=True)
    for name, text in FILES.items():
        file = tmp_path / "project" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    command = ["dbt-local-aws", "--only", "redshift", "--", "dbt", "build", "--target", "redshift"]
    done = subprocess.run(
        command,
        executable=environment / "bin" / "dbt-local-aws",
        cwd=tmp_path / "project",
        env={"PATH": f"{environment / 'bin'}{os.pathsep}{os.defpath}", "HOME": str(tmp_path), "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Completed successfully" in done.stdout
    assert "PASS=3" in done.stdout
    running = [str(environment / "bin" / "python"), "--version"]
    assert f" {version}." in subprocess.run(running, capture_output=True, text=True, check=True).stdout
    assert sys.prefix not in done.stdout
