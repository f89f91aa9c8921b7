#!/bin/sh
# Envoy reads no variables: this puts them into its configuration, and the issuer's address into the cluster.
set -eu
address=${TOKEN_ISSUER#*://}
sed -e "s|\$TOKEN_ISSUER|$TOKEN_ISSUER|g" -e "s|\$TOKEN_AUDIENCE|$TOKEN_AUDIENCE|" -e "s|\$PORT|$PORT|" \
  -e "s|\$LOGIN_HOST|${address%:*}|" -e "s|\$LOGIN_PORT|${address##*:}|" envoy.yaml > configured.yaml
exec venv/bin/envoy --config-path configured.yaml --log-level warning --disable-hot-restart
