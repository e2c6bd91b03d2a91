"""The pipeline in GitLab; deploying a version and renewing a certificate, with stand-ins for ssh and Docker."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.conftest import ROOT
from tests.deploy.schemas import refusals

PIPELINE = ROOT / ".gitlab-ci.yml"
JOBS = yaml.safe_load(PIPELINE.read_text())
TRANSFORM = ("--data-transform", "gitlab-ci")

Deploy = Callable[..., subprocess.CompletedProcess[str]]


def test_gitlabs_own_schema_takes_the_pipeline(tmp_path: Path) -> None:
    assert refusals("gitlab-ci", PIPELINE, *TRANSFORM) == ""
    wrong = tmp_path / ".gitlab-ci.yml"
    wrong.write_text(PIPELINE.read_text().replace("when: manual", "when: by_hand"))
    assert "by_hand" in refusals("gitlab-ci", wrong, *TRANSFORM)


def test_the_image_is_called_as_the_branch_and_short_hash_that_the_deployment_asks_for() -> None:
    assert JOBS["build"]["variables"]["IMAGE"] == "$CI_REGISTRY_IMAGE:$CI_COMMIT_REF_SLUG-$CI_COMMIT_SHORT_SHA"
    assert JOBS["variables"]["COMMIT"] == "$CI_COMMIT_SHORT_SHA"
    (call,) = JOBS["deploy"]["script"]
    assert call == 'tools/deploy.sh "$COMMIT" "$CI_REGISTRY_IMAGE" "$CI_COMMIT_REF_SLUG-$COMMIT"'


def test_a_deployment_is_by_hand_and_a_forced_version_is_only_deployed() -> None:
    forced, usual = JOBS["deploy"]["rules"]
    assert forced == {"if": "$FORCE_VERSION", "when": "manual", "variables": {"COMMIT": "$FORCE_VERSION"}}
    assert usual["when"] == "manual"
    assert JOBS[".unless_forced"]["rules"][0] == {"if": "$FORCE_VERSION", "when": "never"}
    assert [JOBS[name]["extends"] for name in ("test", "build")] == [".unless_forced"] * 2


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of programs: docker, which writes down what it was asked, and ssh, which runs it here."""
    folder = tmp_path / "bin"
    folder.mkdir()
    log = tmp_path / "asked"
    log.touch()
    (folder / "docker").write_text(
        f'#!/bin/sh\necho "$*" >>{log}\ncase "$*" in *--quiet*) cat {tmp_path}/running;; esac\n'
    )
    (folder / "ssh").write_text('#!/bin/sh\nshift\nexec sh -c "$*"\n')
    for program in folder.iterdir():
        program.chmod(0o755)
    (tmp_path / "running").touch()
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.delenv("FORCE_VERSION", raising=False)
    return folder


@pytest.fixture
def commits(tmp_path: Path) -> tuple[str, str]:
    """A repository of two versions of what a machine is sent."""
    folder = tmp_path / "repository"
    git = ["git", "-C", str(folder), "-c", "user.name=t", "-c", "user.email=t@example.org"]
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    (folder / "deploy").mkdir()
    (folder / "tools").mkdir()
    hashes = []
    for version in ("first", "second"):
        for name in ("docker-compose.yml", "workspace.docker.yaml", "deploy/x", "tools/x"):
            (folder / name).write_text(version)
        subprocess.run([*git, "add", "-A"], check=True)
        subprocess.run([*git, "commit", "-qm", version], check=True)
        hashes.append(subprocess.run([*git, "rev-parse", "--short=8", "HEAD"], capture_output=True, text=True).stdout)
    first, second = (text.strip() for text in hashes)
    return first, second


@pytest.fixture
def deploy(tmp_path: Path, programs: Path, commits: tuple[str, str]) -> Deploy:
    machine = tmp_path / "machine"
    machine.mkdir()
    (machine / ".env").write_text("MOBIVILLE_DB_PASSWORD=secret\nMOBIVILLE_VERSION=main-old\n")

    def run(commit: str, **more: str) -> subprocess.CompletedProcess[str]:
        (tmp_path / "asked").write_text("")
        environment = os.environ | {"DEPLOY_HOST": "u@machine", "DEPLOY_PATH": str(machine)} | more
        command = [str(ROOT / "tools" / "deploy.sh"), commit, "registry/mobiville", f"main-{commit}"]
        cwd = tmp_path / "repository"
        return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True)

    return run


def test_a_first_deployment_starts_the_containers_and_keeps_the_secrets(
    deploy: Deploy, commits: tuple[str, str], tmp_path: Path
) -> None:
    done = deploy(commits[1])
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "asked").read_text().splitlines() == [
        f"pull registry/mobiville:main-{commits[1]}",
        "compose up --detach --no-build",
    ]
    written = tmp_path / "machine" / ".env"
    assert written.read_text().splitlines() == [
        "MOBIVILLE_DB_PASSWORD=secret",
        "MOBIVILLE_IMAGE=registry/mobiville",
        f"MOBIVILLE_VERSION=main-{commits[1]}",
    ]
    assert written.stat().st_mode & 0o777 == 0o600


def test_an_upgrade_is_backed_up_before_and_migrated_after(
    deploy: Deploy, commits: tuple[str, str], tmp_path: Path
) -> None:
    deploy(commits[0])
    (tmp_path / "running").write_text("0123456789ab\n")
    assert deploy(commits[1]).returncode == 0
    asked = (tmp_path / "asked").read_text().splitlines()
    assert [line.split()[-1] for line in asked if "exec" in line] == ["backup", "migrate"]
    assert asked.index("compose exec -T code mobiville backup") < asked.index("compose up --detach --no-build")


def test_a_rollback_brings_back_the_earlier_files_and_image_and_leaves_the_tables(
    deploy: Deploy, commits: tuple[str, str], tmp_path: Path
) -> None:
    deploy(commits[1])
    (tmp_path / "running").write_text("0123456789ab\n")
    assert deploy(commits[0], FORCE_VERSION=commits[0]).returncode == 0
    assert (tmp_path / "machine" / "docker-compose.yml").read_text() == "first"
    assert f"MOBIVILLE_VERSION=main-{commits[0]}" in (tmp_path / "machine" / ".env").read_text()
    assert "migrate" not in (tmp_path / "asked").read_text()


def test_what_cannot_be_deployed_changes_nothing(
    deploy: Deploy, commits: tuple[str, str], tmp_path: Path, programs: Path
) -> None:
    wrong = deploy("deadbeef")
    assert wrong.returncode == 1
    assert "no commit deadbeef" in wrong.stderr
    (programs / "docker").write_text("#!/bin/sh\nexit 1\n")  # the image is not there
    assert deploy(commits[1]).returncode != 0
    assert [path.name for path in (tmp_path / "machine").iterdir()] == [".env"]
    (tmp_path / "machine" / ".env").unlink()
    assert "/machine/.env: docs/deployment.md" in deploy(commits[1]).stderr


def _certificate(folder: Path, name: str, days: int) -> tuple[Path, Path]:
    certificate, key = folder / f"{name}.crt", folder / f"{name}.key"
    made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    made += ["-days", str(days), "-subj", f"/CN={name}", "-out", str(certificate), "-keyout", str(key)]
    subprocess.run(made, check=True, capture_output=True)
    return certificate, key


def test_a_renewed_certificate_is_put_before_nginx_and_a_wrong_one_is_not(tmp_path: Path, programs: Path) -> None:
    tls = tmp_path / "tls"
    tls.mkdir()
    good, key = _certificate(tmp_path, "good", 90)
    ended, ended_key = _certificate(tmp_path, "ended", 1)

    def renew(certificate: Path, its_key: Path) -> subprocess.CompletedProcess[str]:
        command = [str(ROOT / "tools" / "renew_tls.sh"), str(certificate), str(its_key)]
        environment = os.environ | {"MOBIVILLE_TLS": str(tls)}
        return subprocess.run(command, env=environment, capture_output=True, text=True)

    assert "is not the key of" in renew(good, ended_key).stderr
    assert "ends within two days" in renew(ended, ended_key).stderr
    assert not list(tls.iterdir())
    assert (tmp_path / "asked").read_text() == ""
    assert renew(good, key).returncode == 0
    assert "exec" not in (tmp_path / "asked").read_text()  # nginx does not run: nothing to reload
    (tmp_path / "running").write_text("0123456789ab\n")
    assert renew(good, key).returncode == 0
    assert (tls / "certificate.pem").read_text() == good.read_text()
    assert (tls / "key.pem").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "asked").read_text().splitlines()[-1] == "compose exec -T nginx nginx -s reload"
