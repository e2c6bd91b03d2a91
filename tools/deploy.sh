#!/bin/sh
# Deploy the image of a commit to a machine with Docker, over ssh: the commit's compose file, a backup, the containers.
#   tools/deploy.sh COMMIT IMAGE VERSION
# DEPLOY_HOST: user@machine. DEPLOY_PATH: the folder there that has `.env`. GIT_SSH_COMMAND: ssh with its options.
# With FORCE_VERSION set (a rollback) the tables are left as they are: an earlier version cannot bring them back.
set -eu
commit=$1 image=$2 version=$3
remote() { ${GIT_SSH_COMMAND:-ssh} "$DEPLOY_HOST" "set -eu; cd '$DEPLOY_PATH'; $1"; }

git rev-parse --quiet --verify "$commit^{commit}" >/dev/null || {
    echo "There is no commit $commit here: give the short hash of a commit of this branch." >&2
    exit 1
}
remote "test -f .env" || {
    echo "$DEPLOY_HOST has no $DEPLOY_PATH/.env: docs/deployment.md, Install, says what to write there." >&2
    exit 1
}
remote "docker pull '$image:$version'"
running=$(remote "! test -f docker-compose.yml || docker compose ps --quiet --status running code")
[ -z "$running" ] || remote "docker compose exec -T code mobiville backup"
git archive "$commit" docker-compose.yml workspace.docker.yaml deploy tools | remote "tar -x"
remote "umask 077; { grep -v -e ^MOBIVILLE_IMAGE= -e ^MOBIVILLE_VERSION= .env || true; \
    echo MOBIVILLE_IMAGE=$image; echo MOBIVILLE_VERSION=$version; } >.env.new; mv .env.new .env"
remote "docker compose up --detach --no-build"
[ -z "$running" ] || [ -n "${FORCE_VERSION:-}" ] || remote "docker compose exec -T code mobiville migrate"
echo "$DEPLOY_HOST runs $image:$version"
