#!/bin/sh
# clamd beside the handler, again whenever it ends. It loads its signatures while the first call waits for it.
while :; do
  clamd --config-file=/etc/scan-upload/clamd.conf
  sleep 1
done &
exec /lambda-entrypoint.sh "$@"
