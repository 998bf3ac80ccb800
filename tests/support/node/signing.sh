# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Where images and signatures live: registry, Notary server, Notary's database; and the notary client.

readonly registry=registry.acme.example  # plain HTTP on port 80
readonly notary_url=https://notary.acme.example:4443
notary_mode=memory     # or database: server, signer and MariaDB, as in production
notary_max_age=0       # seconds that Notary lets clients cache `current` metadata; its own default is 300

# registry_yml ADDRESS: docker-registry's configuration.
registry_yml() {
  cat <<YML
version: 0.1
log: {level: error, accesslog: {disabled: true}}
storage:
  filesystem: {rootdirectory: $node_dir/registry}
  delete: {enabled: true}
http: {addr: "$1", secret: test}
YML
}

start_registry() {
  registry_yml 127.0.0.1:80 >"$node_dir/registry.yml"
  part_start registry docker-registry serve "$node_dir/registry.yml"
  part_ready registry listens 80
}

# One authority for everything, certificates good for both ends of mutual TLS.
make_certificates() {
  [[ ! -e $node_dir/tls/ca.crt ]] || return 0
  mkdir "$node_dir/tls"
  (
    cd "$node_dir/tls" || exit
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout ca.key -out ca.crt \
      -days 800 -subj "/CN=Acme test authority" -addext keyUsage=critical,keyCertSign
    openssl req -x509 -CA ca.crt -CAkey ca.key -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \
      -keyout server.key -out server.crt -days 800 -subj "/CN=notary.acme.example" \
      -addext basicConstraints=critical,CA:FALSE -addext extendedKeyUsage=serverAuth,clientAuth \
      -addext subjectAltName=DNS:notary.acme.example,DNS:localhost,IP:127.0.0.1
  ) >>"$node_dir/log/tls.log" 2>&1
}

start_notary() {
  local trust='"type": "local"' storage='"backend": "memory"'
  make_certificates
  if [[ $notary_mode == database ]]; then
    part_runs mariadb || start_mariadb
    part_runs notary-signer || start_notary_signer
    trust='"type": "remote", "hostname": "127.0.0.1", "port": "7899", "tls_ca_file": "tls/ca.crt",
      "key_algorithm": "ecdsa", "tls_client_cert": "tls/server.crt", "tls_client_key": "tls/server.key"'
    storage='"backend": "mysql", "db_url": "server@tcp(127.0.0.1:3306)/notaryserver?parseTime=True"'
  fi
  cat >"$node_dir/notary-server.json" <<JSON
{"server": {"http_addr": "127.0.0.1:4443", "tls_cert_file": "tls/server.crt", "tls_key_file": "tls/server.key"},
 "trust_service": {$trust},
 "storage": {$storage},
 "caching": {"max_age": {"current_metadata": $notary_max_age}},
 "logging": {"level": "warn"}}
JSON
  part_start notary-server notary-server -config "$node_dir/notary-server.json"
  part_ready notary-server listens 4443
}

start_notary_signer() {
  cat >"$node_dir/notary-signer.json" <<JSON
{"server": {"grpc_addr": "127.0.0.1:7899", "tls_cert_file": "tls/server.crt", "tls_key_file": "tls/server.key",
            "client_ca_file": "tls/ca.crt"},
 "storage": {"backend": "mysql", "db_url": "signer@tcp(127.0.0.1:3306)/notarysigner?parseTime=True",
             "default_alias": "a"},
 "logging": {"level": "warn"}}
JSON
  NOTARY_SIGNER_A=passphrase part_start notary-signer notary-signer -config "$node_dir/notary-signer.json"
  part_ready notary-signer listens 7899
}

start_mariadb() {
  local usr data=$node_dir/mariadb first=()
  usr=$(parts_root)/usr
  if [[ ! -d $data ]]; then
    mariadb-install-db --no-defaults --basedir="$usr" --datadir="$data" --user=root \
      --auth-root-authentication-method=normal --skip-test-db >>"$node_dir/log/mariadb.log" 2>&1
    notary_tables >"$node_dir/tables.sql"
    first=(--init-file="$node_dir/tables.sql")
  fi
  part_start mariadb mariadbd --no-defaults --user=root --basedir="$usr" --datadir="$data" \
    --socket="$node_dir/mariadb.sock" --pid-file="$node_dir/mariadb.pid" --bind-address=127.0.0.1 --port=3306 \
    --innodb-buffer-pool-size=16M "${first[@]}"
  part_ready mariadb listens 3306
  # Its last word at the start, when the tables are there.
  part_ready mariadb grep -q "ready for connections" "$node_dir/log/mariadb.log"
}

# Neither server makes its tables; these are all that they use.
notary_tables() {
  cat <<'SQL'
CREATE DATABASE notaryserver CHARACTER SET latin1;
CREATE DATABASE notarysigner CHARACTER SET latin1;
CREATE USER server@localhost, signer@localhost;
GRANT ALL ON notaryserver.* TO server@localhost;
GRANT ALL ON notarysigner.* TO signer@localhost;
USE notaryserver;
CREATE TABLE tuf_files (
  id INT UNSIGNED AUTO_INCREMENT PRIMARY KEY,
  created_at TIMESTAMP NULL, updated_at TIMESTAMP NULL, deleted_at TIMESTAMP NULL,
  gun VARCHAR(255) NOT NULL, role VARCHAR(255) NOT NULL, version INT NOT NULL,
  sha256 CHAR(64), data LONGBLOB NOT NULL,
  UNIQUE KEY gun_role_version (gun, role, version), KEY sha256 (sha256));
CREATE TABLE changefeed (
  id INT UNSIGNED AUTO_INCREMENT PRIMARY KEY, created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
  gun VARCHAR(255) NOT NULL, version INT NOT NULL, sha256 CHAR(64), category VARCHAR(20) NOT NULL);
USE notarysigner;
CREATE TABLE private_keys (
  id INT UNSIGNED AUTO_INCREMENT PRIMARY KEY,
  created_at TIMESTAMP NULL, updated_at TIMESTAMP NULL, deleted_at TIMESTAMP NULL,
  key_id VARCHAR(255) NOT NULL UNIQUE, encryption_alg VARCHAR(255), keywrap_alg VARCHAR(255),
  algorithm VARCHAR(50), passphrase_alias VARCHAR(50), gun VARCHAR(255), role VARCHAR(255),
  public BLOB, private BLOB, last_used DATETIME NULL);
SQL
}

# The notary client, with the publisher's keys in $node_dir/publisher.
notary_client() {
  NOTARY_ROOT_PASSPHRASE=passphrase NOTARY_TARGETS_PASSPHRASE=passphrase NOTARY_SNAPSHOT_PASSPHRASE=passphrase \
    NOTARY_DELEGATION_PASSPHRASE=passphrase \
    notary -s "$notary_url" --tlscacert "$node_dir/tls/ca.crt" -d "$node_dir/publisher" "$@"
}

# sign GUN TAG DIGEST SIZE [ROLE]: the repository is made when it is signed for the first time.
sign() {
  local gun=$1 tag=$2 digest=$3 size=$4 role=${5:-targets}
  [[ -d $node_dir/publisher/tuf/$gun ]] || notary_client init "$gun" -p >>"$node_dir/log/notary.log" 2>&1
  notary_client addhash "$gun" "$tag" "$size" --sha256 "${digest#sha256:}" -r "$role" -p \
    >>"$node_dir/log/notary.log" 2>&1
}

# withdraw GUN TAG [ROLE]: takes a tag out of the signed set.
withdraw() {
  notary_client remove "$1" "$2" -r "${3:-targets}" -p >>"$node_dir/log/notary.log" 2>&1
}

# The ID that a configuration pins: of the root key's public half, the same in all repositories of a publisher.
root_key_id() { notary -d "$node_dir/publisher" key list | awk '$1 == "root" { print $2 }'; }
docker_root_key_id() { notary -d "$HOME/.docker/trust" key list | awk '$1 == "root" { print $2 }'; }
