#!/bin/sh
# Makes the files of secrets that docker-compose.yml mounts, in ./secrets or the folder given, and keeps those that are
# there. Passwords of an earlier .env stay: set -a; . ./.env; set +a; sh deploy/make-secrets.sh
set -eu
folder=${1:-secrets}
mkdir -p "$folder"
# The folder keeps others out; the files are read by the users of the containers.
chmod 700 "$folder"

# Writes standard input into a file, unless there is one.
keep() {
  if [ -s "$folder/$1" ]; then
    cat >/dev/null
  else
    cat >"$folder/$1.new"
    chmod 444 "$folder/$1.new"
    mv "$folder/$1.new" "$folder/$1"
  fi
}
# Makes a password, which becomes a part of URLs, or keeps the one given.
password() { printf '%s\n' "${2:-$(openssl rand -hex 24)}" | keep "$1"; }
of() { cat "$folder/$1"; }

password postgres_password "${POSTGRES_PASSWORD:-}"
password postgres_app_password "${POSTGRES_APP_PASSWORD:-}"
password redis_password "${REDIS_PASSWORD:-}"
password rabbitmq_password "${RABBITMQ_PASSWORD:-}"
password s3_password "${S3_PASSWORD:-}"
password grafana_password ""

# What the programs read. Edit these to use neighbours elsewhere; after a change of a password remove its line's file here,
# and run this again.
printf 'postgres://chat_node:%s@postgres:5432/chat\n' "$(of postgres_app_password)" | keep database_url
printf 'postgres://chat:%s@postgres:5432/chat\n' "$(of postgres_password)" | keep database_owner_url
printf 'redis://:%s@redis:6379\n' "$(of redis_password)" | keep redis_url
printf 'amqp://chat:%s@rabbitmq:5672\n' "$(of rabbitmq_password)" | keep amqp_url
printf 'default_user = chat\ndefault_pass = %s\n' "$(of rabbitmq_password)" | keep rabbitmq_user.conf
printf '[default]\naws_access_key_id = chat\naws_secret_access_key = %s\n' "$(of s3_password)" | keep s3_credentials
printf '%s\n' "${SMTP_URL:-smtp://mailpit:1025}" | keep smtp_url
if [ -n "${SEAL_PRIVATE_KEY:-}" ]; then
  printf '%s\n' "$SEAL_PRIVATE_KEY" | keep seal_private_key
else
  openssl genpkey -algorithm ed25519 | keep seal_private_key
fi
printf '%s\n' "${MASTER_KEY:-$(openssl rand -base64 32)}" | keep master_key
