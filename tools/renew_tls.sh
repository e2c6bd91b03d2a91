#!/bin/sh
# Put a renewed certificate before nginx, without a request lost. Run it in the folder of docker-compose.yml.
#   tools/renew_tls.sh CERTIFICATE KEY     the certificate with its chain, and its key, as PEM
# certbot calls it after each renewal: --deploy-hook 'tools/renew_tls.sh $RENEWED_LINEAGE/fullchain.pem …/privkey.pem'
set -eu
certificate=$1 key=$2 folder=${MOBIVILLE_TLS:?set MOBIVILLE_TLS to the folder of certificate.pem and key.pem}

openssl x509 -in "$certificate" -noout -checkend 172800 >/dev/null || {
    echo "$certificate ends within two days, or is not a certificate: nothing was changed." >&2
    exit 1
}
[ "$(openssl x509 -in "$certificate" -noout -pubkey)" = "$(openssl pkey -in "$key" -pubout)" ] || {
    echo "$key is not the key of $certificate: nothing was changed." >&2
    exit 1
}
umask 077
for name in certificate key; do
    eval "cp -L \"\$$name\" \"$folder/$name.new\""
    mv "$folder/$name.new" "$folder/$name.pem"
done
[ -n "$(docker compose ps --quiet --status running nginx)" ] || exit 0  # it reads them when it starts
docker compose exec -T nginx nginx -t
docker compose exec -T nginx nginx -s reload
