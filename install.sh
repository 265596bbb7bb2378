#!/bin/sh
# Installs CouachGPT on this server, upgrades it, brings the version before back, or removes it.
# `sh install.sh --help` says how. Runs from a bundle (`make bundle`), which needs no network, or from a
# checkout after `make wheel`. It may be run again at any time: what is as it should be is left alone.
#
#   /opt/couachgpt/releases/VERSION-N   one virtual environment each, with what was laid out beside it
#   /opt/couachgpt/current, previous    links to two of them: an upgrade and its way back are one rename
#   /var/lib/couachgpt                  the data; upgrade/ below it holds the database before an upgrade,
#                                       set-aside/ what a way back has replaced
set -eu
umask 022
# Nothing that root runs looks into the folder it was called from, or where its environment says.
HERE=$(cd "$(dirname "$0")" && pwd)
FOLDER=$PWD
cd /
unset PYTHONPATH PYTHONHOME PYTHONSTARTUP

PREFIX=/opt/couachgpt
CONFIG=/etc/couachgpt.toml
TLS=/etc/couachgpt/tls
UNITS=/etc/systemd/system
SERVICE=couachgptd.service
SOCKET=couachgptd.socket
SANDBOX=couachgpt-sandbox.socket
ACCOUNT=couachgpt
READY_SECONDS=60

ACTION=install
BUNDLE=""
ENGINE=""
WANTS_TLS=""
TLS_CERTIFICATE=""
TLS_KEY=""
DRY=""
PURGE=""
YES=""
STAGE=""      # how far a change has come; `leave` undoes it from there
NEW=""        # the release being made
BEFORE=""     # where the database lies that `leave` has to put back,
AFTER=""      # and where it then puts the one in its place
UNITS_CHANGED=""
DROPIN_CHANGED=""
PUT=""        # what `put` has written

# What /usr/local has of the release in service.
LINKS="bin/couachgptctl share/man/man1/couachgptctl.1 share/man/man5/couachgpt.toml.5
    share/bash-completion/completions/couachgptctl"

# --- what it says ---------------------------------------------------------------------------------

case "${LC_ALL:-${LC_MESSAGES:-${LANG:-}}}" in
    fr*) LANGUAGE=fr ;;
    *) LANGUAGE=en ;;
esac

# Every text is there twice, French first.
in_words() { if [ "$LANGUAGE" = fr ]; then printf '%s' "$1"; else printf '%s' "$2"; fi; }
say() { printf '%s\n' "$(in_words "$1" "$2")"; }
step() { printf '== %s\n' "$(in_words "$1" "$2")"; }
warn() { printf 'install.sh: %s\n' "$(in_words "$1" "$2")" >&2; }
die() { warn "$1" "$2"; exit 1; }

# Asks on the terminal; without one, the answer is no.
agreed() {
    [ -z "$YES" ] || return 0
    [ -t 0 ] || return 1
    printf '%s ' "$(in_words "$1 [o/N]" "$2 [y/N]")"
    read -r answer || return 1
    case $answer in [oOyY]*) return 0 ;; *) return 1 ;; esac
}

usage() {
    if [ "$LANGUAGE" = fr ]; then
        cat <<'END'
Usage : sh install.sh [OPTIONS]

Installe CouachGPT, ou le met à jour s'il est déjà là. En root, sur Debian 12 ou
13, ou Ubuntu 24.04.

  --dry-run             dit ce qui serait fait, ne change rien
  --offline LOT         installe depuis ce dossier de `make bundle`, sans réseau
  --engine MOTEUR       ollama, ou embedded : llama.cpp intégré
                        (par défaut : ollama s'il est installé)
  --tls [CERT CLÉ]      HTTPS, avec ces deux fichiers PEM ; sans eux, avec un
                        certificat auto-signé
  --rollback            remet la version précédente en service
  --uninstall           retire tout, sauf les données et les réglages
  --uninstall --purge   retire tout, données et réglages compris
  --yes                 ne pose pas de question
  --help                cette aide

/etc/couachgpt.toml n'est jamais modifié une fois écrit. Une mise à jour qui
échoue se défait d'elle-même : la version d'avant et sa base reviennent.
END
    else
        cat <<'END'
Usage: sh install.sh [OPTIONS]

Installs CouachGPT, or upgrades it where it is there already. As root, on Debian
12 or 13, or Ubuntu 24.04.

  --dry-run             say what would be done, change nothing
  --offline BUNDLE      install from this folder of `make bundle`, no network
  --engine ENGINE       ollama, or embedded: llama.cpp built in
                        (default: ollama where it is installed)
  --tls [CERT KEY]      HTTPS, with these two PEM files; without them, with a
                        self-signed certificate
  --rollback            bring the version before back
  --uninstall           remove everything but the data and the settings
  --uninstall --purge   remove everything, data and settings too
  --yes                 ask no question
  --help                this help

/etc/couachgpt.toml is never changed once written. An upgrade that fails undoes
itself: the version before and its database come back.
END
    fi
}

# --- how it acts: everything that changes something goes through these ----------------------------

run() {
    if [ -n "$DRY" ]; then printf '   %s\n' "$*"; else "$@"; fi
}

# put SOURCE TARGET MODE [OWNER:GROUP]: the file as it should be; says so and sets PUT if it was not.
put() {
    if cmp -s "$1" "$2" && [ "$(stat -c %a "$2")" = "${3#0}" ]; then return 0; fi
    PUT=$2
    say "   écrit $2" "   writes $2"
    [ -z "$DRY" ] || return 0
    mkdir -p "$(dirname "$2")"
    # Beside it, then renamed: nobody reads half a file.
    install -m "$3" ${4:+-o "${4%:*}" -g "${4#*:}"} "$1" "$2.installing"
    mv -T "$2.installing" "$2"
}

# link TARGET NAME: the symbolic link as it should be, changed in one step.
link() {
    [ "$(readlink "$2" 2>/dev/null)" != "$1" ] || return 0
    if [ -n "$DRY" ]; then
        say "   écrit $2" "   writes $2"
        return
    fi
    mkdir -p "$(dirname "$2")"
    ln -sfn "$1" "$2.installing"
    mv -T "$2.installing" "$2"
}

remove() {
    for each; do
        if [ -e "$each" ] || [ -L "$each" ]; then
            say "   retire $each" "   removes $each"
            run rm -rf "$each"
        fi
    done
}

has_unit() { systemctl cat "$1" >/dev/null 2>&1; }
as_account() { runuser -u "$ACCOUNT" -- "$@"; }
absolute() { case $1 in /*) echo "$1" ;; *) echo "$FOLDER/$1" ;; esac; }
release_of() { readlink -e "$PREFIX/$1" 2>/dev/null || true; }

# works RELEASE: whether it is whole; the system's next Python may have taken the one it was made with.
works() { [ -n "$1" ] && "$1/bin/couachgptd" --version >/dev/null 2>&1; }

# --- before anything ------------------------------------------------------------------------------

parse() {
    while [ $# -gt 0 ]; do
        case $1 in
            --dry-run) DRY=1 ;;
            --offline)
                [ $# -gt 1 ] || die "--offline : quel dossier ?" "--offline: which folder?"
                BUNDLE=$(absolute "$2")
                shift
                ;;
            --engine)
                case ${2:-} in
                    ollama | embedded) ENGINE=$2 ;;
                    *) die "--engine : ollama ou embedded" "--engine: ollama or embedded" ;;
                esac
                shift
                ;;
            --tls)
                WANTS_TLS=1
                case ${2:-} in
                    "" | -*) ;;
                    *)
                        TLS_CERTIFICATE=$(absolute "$2")
                        TLS_KEY=${3:+$(absolute "$3")}
                        if [ ! -r "$TLS_CERTIFICATE" ] || [ ! -r "$TLS_KEY" ]; then
                            die "--tls : il faut deux fichiers lisibles, certificat puis clé" \
                                "--tls: give two readable files, the certificate and then its key"
                        fi
                        shift 2
                        ;;
                esac
                ;;
            --rollback) ACTION=rollback ;;
            --uninstall) ACTION=uninstall ;;
            --purge) PURGE=1 ;;
            --yes) YES=1 ;;
            --help | -h)
                usage
                exit 0
                ;;
            *)
                die "option inconnue : $1
    sh install.sh --help les montre toutes" \
                    "unknown option: $1
    sh install.sh --help shows them all"
                ;;
        esac
        shift
    done
    if [ -n "$PURGE" ] && [ "$ACTION" != uninstall ]; then
        die "--purge va avec --uninstall" "--purge goes with --uninstall"
    fi
}

require_supported() {
    # shellcheck source=/dev/null
    system=$(. /etc/os-release && printf '%s %s' "$ID" "${VERSION_ID:-}")
    case $system in
        "debian 12" | "debian 13" | "ubuntu 24.04") ;;
        *)
            die "ce système ($system) n'est pas pris en charge : Debian 12 ou 13, ou Ubuntu 24.04" \
                "this system ($system) is not supported: Debian 12 or 13, or Ubuntu 24.04"
            ;;
    esac
}

require_root() {
    [ -d /run/systemd/system ] ||
        die "systemd ne dirige pas cette machine" "this machine is not run by systemd"
    if [ "$(id -u)" -ne 0 ] && [ -z "$DRY" ]; then
        die "à lancer en root : sudo sh install.sh" "to be run as root: sudo sh install.sh"
    fi
    [ -n "$DRY" ] && return 0
    exec 9>/run/couachgpt-install.lock # not /run/lock, where anybody may lay something first
    flock -n 9 || die "un autre install.sh est en cours" "another install.sh is at work"
}

# The system's own Python: one below somebody's home is out of the daemon's reach.
find_python() {
    for PYTHON in /usr/bin/python3 /usr/bin/python3.13 /usr/bin/python3.12 /usr/bin/python3.11; do
        if [ -x "$PYTHON" ] && "$PYTHON" -I -c \
            'import sys, ssl, sqlite3, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            return
        fi
    done
    die "il faut Python 3.11 ou plus récent : apt-get install python3" \
        "Python 3.11 or newer is needed: apt-get install python3"
}

# Where the parts are: SOURCE holds install.sh, etc and systemd, WHEEL is ours, PARTS names them all.
find_source() {
    [ -n "$BUNDLE" ] || [ ! -f "$HERE/SHA256SUMS" ] || BUNDLE=$HERE
    if [ -z "$BUNDLE" ] && [ -f "$HERE/identity" ]; then
        # Laid out by an earlier run: there is nothing to install, but something may be to mend.
        works "$(release_of current)" ||
            die "la version en place ne marche plus : relancez install.sh depuis un lot" \
                "the version that is here works no more: run install.sh again from a bundle"
        SOURCE=$(release_of current)/share/couachgpt
        IDENTITY=$(cat "$SOURCE/identity")
        return
    fi
    if [ -n "$BUNDLE" ]; then
        SOURCE=$(cd "$BUNDLE" 2>/dev/null && pwd) ||
            die "$BUNDLE : ce dossier n'est pas là" "$BUNDLE: no such folder"
        [ -f "$SOURCE/SHA256SUMS" ] ||
            die "$SOURCE n'est pas un lot de \`make bundle\`" "$SOURCE is no bundle of \`make bundle\`"
        (cd "$SOURCE" && sha256sum --quiet --check SHA256SUMS) ||
            die "$SOURCE est abîmé : recopiez-le" "$SOURCE is damaged: copy it again"
        SHARE=$SOURCE/share
        set -- "$SOURCE"/wheels/couachgpt-*.whl
        IDENTITY=$(sha256sum <"$SOURCE/SHA256SUMS")
    else
        SOURCE=$HERE
        SHARE=$SOURCE/dist/share
        set -- "$SOURCE"/dist/couachgpt-*.whl
        IDENTITY=$(cd "$SOURCE" && find install.sh etc systemd dist/couachgpt-*.whl \
            dist/requirements.txt dist/share -type f -exec sha256sum {} + 2>/dev/null | sort | sha256sum)
    fi
    if [ $# -ne 1 ] || [ ! -f "$1" ]; then
        die "il faut exactement un paquet couachgpt-*.whl : \`make bundle\` ou \`make wheel\`" \
            "exactly one couachgpt-*.whl is needed: \`make bundle\` or \`make wheel\`"
    fi
    WHEEL=$1
    IDENTITY=${IDENTITY%% *}
    VERSION=$(basename "$WHEEL" | cut -d- -f2)
}

# --- the release: a virtual environment, made beside the one in use --------------------------------

build_release() {
    number=1
    while [ -e "$PREFIX/releases/$VERSION-$number" ]; do number=$((number + 1)); done
    NEW=$PREFIX/releases/$VERSION-$number
    step "Version $VERSION dans $NEW" "Version $VERSION into $NEW"
    run mkdir -p "$NEW/share/couachgpt"
    STAGE=built
    if [ -n "$BUNDLE" ]; then
        run "$PYTHON" -I -m venv --without-pip "$NEW"
        # A wheel of pip runs as it is: the server needs neither pip nor python3-venv.
        set -- "$SOURCE"/wheels/pip-*.whl
        run "$NEW/bin/python" -I "$1/pip" --isolated --quiet --disable-pip-version-check install \
            --no-index --no-deps --find-links "$SOURCE/wheels" \
            --requirement "$SOURCE/requirements.txt" "$WHEEL"
        run "$NEW/bin/python" -I "$1/pip" --isolated --quiet --disable-pip-version-check check
    else
        "$PYTHON" -I -c 'import ensurepip' 2>/dev/null ||
            die "il manque python3-venv : apt-get install python3-venv (ou prenez un lot, --offline)" \
                "python3-venv is missing: apt-get install python3-venv (or take a bundle, --offline)"
        run "$PYTHON" -I -m venv "$NEW"
        run "$NEW/bin/python" -I -m pip --quiet --disable-pip-version-check install \
            --require-hashes --requirement "$SOURCE/dist/requirements.txt"
        run "$NEW/bin/python" -I -m pip --quiet --disable-pip-version-check install --no-deps "$WHEEL"
    fi
    for part in install.sh etc systemd; do
        run cp -R "$SOURCE/$part" "$NEW/share/couachgpt/"
    done
    run cp -R "$SHARE/man" "$SHARE/bash-completion" "$NEW/share/"
    [ -n "$DRY" ] || echo "$IDENTITY" >"$NEW/share/couachgpt/identity"
}

# --- what lies outside /opt -----------------------------------------------------------------------

# each_part DIRECTORY: the files of a release's systemd folder, and where each goes.
each_part() {
    for file in "$1"/*.service "$1"/*.socket "$1"/*.timer "$1"/*.slice; do
        [ ! -f "$file" ] || echo "$file $UNITS/$(basename "$file")"
    done
    echo "$1/sysusers.conf /etc/sysusers.d/couachgpt.conf"
    echo "$1/tmpfiles.conf /etc/tmpfiles.d/couachgpt.conf"
    echo "$1/couachgpt.rules /etc/polkit-1/rules.d/couachgpt.rules"
    echo "$1/ollama.service.d/couachgpt.conf $UNITS/ollama.service.d/couachgpt.conf"
}

# lay_out PARTS: units and the like of one release; PARTS is its folder, or the bundle's in a dry run.
lay_out() {
    while read -r file target; do
        case $target in
            */polkit-1/*) [ -d /etc/polkit-1 ] || continue ;;
            */ollama.service.d/*) has_unit ollama.service || continue ;;
        esac
        PUT=""
        put "$file" "$target" 0644
        [ -z "$PUT" ] || UNITS_CHANGED=1
        [ "$PUT" != "$UNITS/ollama.service.d/couachgpt.conf" ] || DROPIN_CHANGED=1
    done <<END
$(each_part "$1/systemd")
END
    for each in $LINKS; do link "$PREFIX/current/$each" "/usr/local/$each"; done
    [ -z "$UNITS_CHANGED" ] || run systemctl daemon-reload
}

# take_away OLD NEW: what the old release had laid out and the new one has not.
take_away() {
    each_part "$1/systemd" | while read -r file target; do
        [ -e "$2/systemd/${file#"$1/systemd/"}" ] || remove "$target"
    done
}

make_accounts() {
    if [ -z "$DRY" ]; then # else `lay_out` says it
        put "$1/systemd/sysusers.conf" /etc/sysusers.d/couachgpt.conf 0644
        put "$1/systemd/tmpfiles.conf" /etc/tmpfiles.d/couachgpt.conf 0644
    fi
    if ! id "$ACCOUNT" >/dev/null 2>&1 || ! getent group couachgpt-monitor >/dev/null; then
        step "Utilisateur et groupes" "User and groups"
        run systemd-sysusers /etc/sysusers.d/couachgpt.conf
    fi
    [ -d /run/couachgpt ] || run systemd-tmpfiles --create /etc/tmpfiles.d/couachgpt.conf
}

choose_engine() {
    has_ollama=""
    if has_unit ollama.service || command -v ollama >/dev/null 2>&1; then has_ollama=1; fi
    if [ -z "$has_ollama" ] && [ "$ENGINE" != embedded ] && [ -z "$BUNDLE$DRY$YES" ] && [ -t 0 ] &&
        [ ! -e "$CONFIG" ] &&
        agreed "Ollama n'est pas installé. Lancer son installeur officiel (télécharge depuis ollama.com) ?" \
            "Ollama is not installed. Run its official installer (downloads from ollama.com)?"; then
        curl -fsSL https://ollama.com/install.sh | sh || true
        # A download that failed leaves the shell at the end of the pipe content.
        if command -v ollama >/dev/null 2>&1; then
            has_ollama=1
        else
            warn "Ollama n'a pas pu être installé" "Ollama could not be installed"
        fi
    fi
    if [ "$ENGINE" = ollama ] && [ -z "$has_ollama" ]; then
        die "Ollama n'est pas installé : installez-le d'abord, ou choisissez --engine embedded" \
            "Ollama is not installed: install it first, or choose --engine embedded"
    fi
    if [ -n "$ENGINE" ]; then :; elif [ -n "$has_ollama" ]; then ENGINE=ollama; else ENGINE=embedded; fi
    require_libraries
}

# What the built-in engine takes of the system; a small installation may lack it.
require_libraries() {
    kind=$ENGINE
    [ ! -e "$CONFIG" ] || kind=$(sed -n 's/^kind = "\(.*\)".*/\1/p' "$CONFIG")
    [ "$kind" = embedded ] || return 0
    "$PYTHON" -I -c 'import ctypes
for each in ("libstdc++.so.6", "libgomp.so.1"): ctypes.CDLL(each)' 2>/dev/null ||
        die "il manque au moteur intégré une bibliothèque du système : apt-get install libgomp1 libstdc++6" \
            "the built-in engine lacks a library of the system: apt-get install libgomp1 libstdc++6"
}

make_certificate() {
    [ -n "$WANTS_TLS" ] || return 0
    if [ -n "$TLS_CERTIFICATE" ]; then
        step "Certificat TLS" "TLS certificate"
        PUT=""
        put "$TLS_CERTIFICATE" "$TLS/server.crt" 0644
        put "$TLS_KEY" "$TLS/server.key" 0640 "root:$ACCOUNT"
        CERTIFICATE_CHANGED=$PUT
        return 0
    fi
    if [ -e "$TLS/server.key" ] && [ -e "$TLS/server.crt" ]; then return 0; fi
    command -v openssl >/dev/null 2>&1 ||
        die "il faut openssl pour faire un certificat : apt-get install openssl" \
            "openssl is needed to make a certificate: apt-get install openssl"
    step "Certificat TLS auto-signé" "Self-signed TLS certificate"
    names="DNS:localhost"
    for each in "$(hostname)" "$(hostname -f 2>/dev/null || true)"; do
        case ",$names," in *",DNS:$each,"* | *",DNS:,"*) ;; *) [ -z "$each" ] || names="$names,DNS:$each" ;; esac
    done
    for each in 127.0.0.1 $(hostname -I 2>/dev/null || true); do names="$names,IP:$each"; done
    say "   noms : $names" "   names: $names"
    run mkdir -p "$TLS"
    # A key that is there without its certificate stays what it is: it may be somebody's own.
    openssl pkey -in "$TLS/server.key" -passin pass: -noout 2>/dev/null ||
        (umask 077 && run openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 \
            -out "$TLS/server.key")
    # 825 days: Apple's systems refuse longer ones.
    run openssl req -x509 -new -key "$TLS/server.key" -passin pass: -days 825 -subj "/CN=$(hostname)" \
        -addext "subjectAltName=$names" -out "$TLS/server.crt.installing" ||
        die "openssl n'a pas pu faire le certificat" "openssl could not make the certificate"
    run mv -T "$TLS/server.crt.installing" "$TLS/server.crt"
    CERTIFICATE_CHANGED=1
    run chown "root:$ACCOUNT" "$TLS/server.key"
    run chmod 0640 "$TLS/server.key"
    run chmod 0644 "$TLS/server.crt"
}

# The name that others of the network reach this server by; without one, its first address.
own_name() {
    name=$(hostname -f 2>/dev/null || hostname)
    case $name in
        *.localdomain | localhost*) ;;
        *.*)
            echo "$name"
            return
            ;;
    esac
    for each in $(hostname -I 2>/dev/null || true); do
        case $each in
            *:*) ;; # would take brackets
            *)
                echo "$each"
                return
                ;;
        esac
    done
    hostname
}

# The settings are the administrator's: written once, never changed.
write_config() {
    [ ! -e "$CONFIG" ] || return 0
    made=$(mktemp)
    sed -e "s|^kind = \"auto\"|kind = \"$ENGINE\"|" "$1/etc/couachgpt.toml" >"$made"
    scheme=http
    if [ -n "$WANTS_TLS" ]; then
        scheme=https
        sed -i -e "s|^tls_certificate = \"\"|tls_certificate = \"$TLS/server.crt\"|" \
            -e "s|^tls_key = \"\"|tls_key = \"$TLS/server.key\"|" "$made"
    fi
    # What the links begin with that people are given, to set a password say.
    sed -i "s|^public_url = \"\"|public_url = \"$scheme://$(own_name):$(port)\"|" "$made"
    put "$made" "$CONFIG" 0640 "root:$ACCOUNT"
    rm -f "$made"
}

# offer_config PARTS OLD_PARTS: a default that is new lies beside the settings; what was asked for and
# could not be written is said.
offer_config() {
    if ! cmp -s "$1/etc/couachgpt.toml" "$2/etc/couachgpt.toml"; then
        put "$1/etc/couachgpt.toml" "$CONFIG.new" 0640 "root:$ACCOUNT"
        say "   $CONFIG reste le vôtre ; ce que cette version sait régler de plus est dans $CONFIG.new" \
            "   $CONFIG stays yours; what this version can set beyond it is in $CONFIG.new"
    fi
    if [ -n "$WANTS_TLS" ] && ! grep -q "^tls_key = \"$TLS/server.key\"" "$CONFIG"; then
        warn "$CONFIG existait déjà. Écrivez-y, sous [server] :
    tls_certificate = \"$TLS/server.crt\"
    tls_key = \"$TLS/server.key\"
puis : systemctl restart couachgptd" \
            "$CONFIG was there already. Write into it, below [server]:
    tls_certificate = \"$TLS/server.crt\"
    tls_key = \"$TLS/server.key\"
then: systemctl restart couachgptd"
    fi
    if [ -n "$ENGINE_GIVEN" ] && ! grep -q "^kind = \"$ENGINE\"" "$CONFIG"; then
        warn "$CONFIG existait déjà. Écrivez-y, sous [engine] : kind = \"$ENGINE\"
puis : systemctl restart couachgptd" \
            "$CONFIG was there already. Write into it, below [engine]: kind = \"$ENGINE\"
then: systemctl restart couachgptd"
    fi
}

# --- the database, while nobody uses it -----------------------------------------------------------

data_directory() {
    "$1/bin/python" -I -c 'from couachgptd import config; print(config.load().storage.directory)'
}

# In the data's folder, which is the daemon's user's, any name may be a link to anybody's file: all that
# is done there is done as that user. Nothing leaves the folder either: a rename takes no room.

# copy_database FROM TO: with its log, which an orderly end does not leave.
copy_database() {
    # shellcheck disable=SC2016 # its own arguments are meant
    as_account sh -euc 'umask 077; rm -rf "$2"; mkdir -p "$2"
        for each in couachgpt.db couachgpt.db-wal; do
            [ ! -e "$1/$each" ] || cp -p "$1/$each" "$2/$each"
        done' sh "$1" "$2"
}

# move_database FROM TO: the whole of it, even if somebody types Ctrl-C; nothing if there is none.
move_database() {
    # shellcheck disable=SC2016 # the same
    as_account sh -euc 'trap "" HUP INT TERM; umask 077
        [ -e "$1/couachgpt.db" ] || exit 0
        mkdir -p "$2"
        rm -f "$2/couachgpt.db" "$2/couachgpt.db-wal" "$2/couachgpt.db-shm"
        for each in couachgpt.db couachgpt.db-wal couachgpt.db-shm; do
            [ ! -e "$1/$each" ] || mv "$1/$each" "$2/$each"
        done' sh "$1" "$2"
}

# opens_copy RELEASE: whether this release can use the database, tried on a copy; the reason is shown.
opens_copy() {
    copy_database "$DATA" "$DATA/upgrade/trial" || return 1
    result=0
    as_account "$1/bin/couachgptd" --migrate --set "storage.data_dir=$DATA/upgrade/trial" || result=1
    as_account rm -rf "$DATA/upgrade/trial"
    return "$result"
}

# compare RELEASE: the database beside what this release would make of it: `same`, `older`, `newer`, or
# `broken`. Only what has to be migrated needs a copy to be tried on, and so room.
compare() {
    as_account "$1/bin/python" -I - "$DATA/couachgpt.db" <<'END'
import sqlite3, sys
from contextlib import closing
from pathlib import Path
from couachgptd.storage import migrate
path, known = Path(sys.argv[1]), migrate.known()
try:
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as database:
        found = {name for name, in database.execute(f"SELECT name FROM {migrate.HISTORY_TABLE}")}
except sqlite3.Error:
    print("broken" if path.exists() else "same")
else:
    print("newer" if found - known else "older" if known - found else "same")
END
}

require_room() {
    set -- "$(du -sk "$DATA/couachgpt.db" 2>/dev/null | cut -f1)" \
        "$(df -Pk "$DATA" | awk 'NR == 2 { print $4 }')"
    # The database before, the copy that is tried, and a backup that the daemon makes itself.
    if [ "$2" -lt $((3 * ${1:-0} + 65536)) ]; then
        die "trop peu de place dans $DATA : il faut 3 fois la base et 64 Mo" \
            "too little room in $DATA: it takes 3 times the database and 64 MB"
    fi
}

# --- starting, and whether it is well --------------------------------------------------------------

stop_service() {
    run systemctl stop "$SOCKET" "$SERVICE"
    # The daemon wants it at each start; a release from before it has none.
    if has_unit "$SANDBOX"; then run systemctl stop "$SANDBOX"; fi
    # After a start limit it would refuse to start again.
    run systemctl reset-failed "$SOCKET" "$SERVICE" 2>/dev/null || true
}

# One question to the daemon through its socket, and one page through the listener that people use.
is_healthy() {
    systemctl start "$SOCKET" "$SERVICE" || return 1
    "$1/bin/couachgptctl" --wait "$READY_SECONDS" --json status >/dev/null || return 1
    "$1/bin/python" -I - "$(port)" <<'END'
import http.client, ssl, sys
from couachgptd import config
if config.load().server.tls_certificate:
    anyone = ssl._create_unverified_context()  # it is about being served, and the name is not ours
    connection = http.client.HTTPSConnection("127.0.0.1", int(sys.argv[1]), timeout=20, context=anyone)
else:
    connection = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=20)
connection.request("GET", "/login")
status = connection.getresponse().status
sys.exit(status != 200)
END
}

port() {
    found=$(systemctl show --property=Listen --value "$SOCKET" 2>/dev/null |
        sed -n 's/.*:\([0-9]*\) (Stream).*/\1/p' | head -n 1)
    echo "${found:-8294}"
}

last_words() {
    journalctl --no-pager --quiet --unit "$SERVICE" --lines 15 --output cat 2>/dev/null >&2 || true
}

# --- installing, upgrading, and the way back --------------------------------------------------------

# Undoes what was begun, however the script ends: an error, Ctrl-C, a closed terminal.
leave() {
    status=$?
    trap - EXIT
    trap '' HUP INT TERM
    case $STAGE in
        built) [ -n "$DRY" ] || rm -rf "$NEW" ;;
        stopped | swapped)
            set +e
            undo
            [ "$status" -ne 0 ] || status=1
            ;;
    esac
    exit "$status"
}

# Back to the release OLD and its database. What could still be of use goes only once that is well.
undo() {
    warn "Échec ; retour à la version qui était en service." \
        "This failed; going back to the version that was in service."
    last_words
    stop_service
    if [ -n "$BEFORE" ] && as_account test -e "$BEFORE/couachgpt.db"; then
        move_database "$DATA" "$AFTER" && move_database "$BEFORE" "$DATA"
    fi
    [ "$STAGE" = stopped ] || serve "$OLD" "$TO"
    if is_healthy "$OLD"; then
        warn "La version précédente est de nouveau en service, avec ses données." \
            "The version before is in service again, with its data."
        if [ -n "$NEW" ]; then
            rm -rf "$NEW"
            as_account rm -rf "$KEPT"
        fi
    else
        warn "La version précédente ne démarre pas non plus : journalctl -u couachgptd
    Rien n'a été effacé : la base est dans $DATA ou, sinon, dans $DATA/upgrade." \
            "The version before does not start either: journalctl -u couachgptd
    Nothing was deleted: the database is in $DATA or else in $DATA/upgrade."
    fi
}

# serve RELEASE OTHER: puts a release in the place of another.
serve() {
    link "$1" "$PREFIX/current"
    take_away "$2/share/couachgpt" "$1/share/couachgpt"
    UNITS_CHANGED=1
    lay_out "$1/share/couachgpt"
}

upgrade() {
    as_account "$NEW/bin/couachgptd" --check >/dev/null ||
        die "la nouvelle version refuse $CONFIG ; rien n'a été changé" \
            "the new version refuses $CONFIG; nothing was changed"
    TO=$NEW
    DATA=$(data_directory "$NEW")
    KEPT=$DATA/upgrade/$(basename "$NEW")
    require_room
    step "Arrêt, sauvegarde, essai sur une copie de la base" "Stop, backup, trial on a copy of the database"
    STAGE=stopped
    stop_service
    copy_database "$DATA" "$KEPT"
    as_account mkdir -p "$DATA/upgrade/failed" # while there is room for it
    opens_copy "$NEW" ||
        die "la nouvelle version ne peut pas prendre cette base" "the new version cannot take this database"
    step "Bascule et démarrage" "Swap and start"
    STAGE=swapped
    serve "$NEW" "$OLD"
    BEFORE=$KEPT
    AFTER=$DATA/upgrade/failed
    is_healthy "$NEW" || die "la nouvelle version ne répond pas" "the new version does not answer"
    STAGE=""
    link "$OLD" "$PREFIX/previous"
    forget_older
}

# Two releases are enough; the databases kept for others go with them.
forget_older() {
    for each in "$PREFIX"/releases/*; do
        case $each in "$(release_of current)" | "$(release_of previous)") ;; *) rm -rf "$each" ;; esac
    done
    for each in "$DATA"/upgrade/*; do
        [ -e "$PREFIX/releases/$(basename "$each")" ] || as_account rm -rf "$each" || true
    done
}

install_or_upgrade() {
    require_supported
    find_python
    find_source
    ENGINE_GIVEN=$ENGINE
    choose_engine
    parts=$SOURCE
    OLD=$(release_of current)
    works "$OLD" || OLD="" # there is nothing to go back to
    if [ -z "$OLD" ] || [ "$(cat "$OLD/share/couachgpt/identity" 2>/dev/null)" != "$IDENTITY" ]; then
        build_release
        [ -n "$DRY" ] || parts=$NEW/share/couachgpt
    else
        parts=$OLD/share/couachgpt
    fi
    make_accounts "$parts"
    make_certificate
    write_config "$parts"
    if [ -n "$DRY" ]; then
        lay_out "$parts"
        say "   (ré)active et démarre $SOCKET, $SERVICE" "   enables and starts $SOCKET, $SERVICE"
        STAGE=""
        return
    fi
    if [ -n "$NEW" ] && [ -n "$OLD" ]; then
        upgrade
    else
        first_or_same
    fi
    # The old release is the previous one now, and still there.
    if [ -n "$OLD" ]; then offer_config "$parts" "$OLD/share/couachgpt"; fi
    systemctl --quiet enable "$SERVICE" "$SOCKET"
    say_what_is_missing
    say_where
}

first_or_same() {
    if [ -n "$NEW" ]; then
        as_account "$NEW/bin/couachgptd" --check >/dev/null ||
            die "$CONFIG est refusé ; corrigez-le et recommencez" "$CONFIG is refused; mend it and run this again"
        ! has_unit "$SERVICE" || stop_service # one that runs still, of a release that no longer works
        link "$NEW" "$PREFIX/current"
    fi
    STAGE=""
    lay_out "$parts"
    if ! is_healthy "$(release_of current)"; then
        last_words
        die "CouachGPT est installé mais ne démarre pas : journalctl -u couachgptd" \
            "CouachGPT is installed but does not start: journalctl -u couachgptd"
    fi
    if [ -n "${CERTIFICATE_CHANGED:-}" ]; then systemctl reload "$SERVICE"; fi
}

# Whether to take the database from before the upgrade, where the version before cannot read today's.
agrees_to_older() {
    as_account test -e "$KEPT/couachgpt.db" ||
        die "la version précédente ne lit pas la base d'aujourd'hui, et celle d'avant la mise à jour n'est plus là" \
            "the version before cannot read today's database, and the one from before the upgrade is gone"
    made=$(as_account stat -c %y "$KEPT/couachgpt.db" | cut -c1-16)
    agreed "La version précédente ne lit pas la base d'aujourd'hui. Reprendre celle d'avant la mise à jour ($made) ? \
Ce qui a été écrit depuis sera mis de côté." \
        "The version before cannot read today's database. Take the one from before the upgrade ($made)? \
What was written since will be set aside."
}

roll_back() {
    OLD=$(release_of current)
    TO=$(release_of previous)
    if [ -z "$OLD" ] || ! works "$TO"; then
        die "il n'y a pas de version précédente" "there is no version before"
    fi
    # The one in service may be what is broken; the one before may not know all of today's settings.
    DATA=$(data_directory "$OLD" 2>/dev/null || data_directory "$TO")
    KEPT=$DATA/upgrade/$(basename "$OLD")
    step "Retour de $(basename "$OLD") à $(basename "$TO")" "From $(basename "$OLD") back to $(basename "$TO")"
    if [ -n "$DRY" ]; then return; fi
    found=$(compare "$TO")
    case $found in
        same) ;;
        older) require_room ;;
        *)
            agrees_to_older ||
                die "rien n'a été changé ; --yes accepte de reprendre la base d'avant la mise à jour" \
                    "nothing was changed; --yes agrees to take the database from before the upgrade"
            ;;
    esac
    STAGE=stopped
    stop_service
    case $found in
        same) ;;
        older)
            opens_copy "$TO" ||
                die "cette version ne peut pas prendre la base" "that version cannot take the database"
            ;;
        *)
            BEFORE=$DATA/set-aside/$(date -u +%Y%m%dT%H%M%SZ)
            AFTER=$KEPT
            move_database "$DATA" "$BEFORE"
            move_database "$KEPT" "$DATA"
            ;;
    esac
    STAGE=swapped
    serve "$TO" "$OLD"
    is_healthy "$TO" || die "la version précédente ne répond pas" "the version before does not answer"
    STAGE=""
    link "$OLD" "$PREFIX/previous"
    if [ -n "$BEFORE" ]; then
        say "   la base d'aujourd'hui est gardée dans $BEFORE ; effacez-la quand elle ne sert plus" \
            "   today's database is kept in $BEFORE; delete it once it is of no more use"
    fi
    say_where
}

# Whether a purge may take this folder away: storage.data_dir may name any, and a typing error is one.
is_ours() {
    case $1 in
        /var/lib/couachgpt) return 0 ;;
        /usr/* | /etc/* | /boot/* | /dev/* | /proc/* | /sys/* | /run/*) return 1 ;;
        /home/*/* | /var/*/*/*) ;;
        /home/* | /var/*) return 1 ;;
        /*/*) ;;
        *) return 1 ;;
    esac
    [ -f "$1/couachgpt.db" ]
}

uninstall() {
    step "Retrait de CouachGPT" "Removing CouachGPT"
    current=$(release_of current)
    DATA=/var/lib/couachgpt
    ! works "$current" || DATA=$(readlink -m "$(data_directory "$current" 2>/dev/null || echo "$DATA")")
    if [ -n "$PURGE" ] && [ -d "$DATA" ] && ! is_ours "$DATA"; then
        die "$CONFIG nomme $DATA comme dossier des données ; ce n'est pas un dossier de CouachGPT seul.
    Rien n'a été retiré : faites-le sans --purge, puis effacez vous-même ce qui doit l'être." \
            "$CONFIG names $DATA as the data's folder, which is no folder of CouachGPT's alone.
    Nothing was removed: do it without --purge, then delete yourself what should go."
    fi
    if has_unit "$SERVICE"; then
        run systemctl --quiet disable --now "$SOCKET" "$SERVICE"
        run systemctl reset-failed "$SOCKET" "$SERVICE" 2>/dev/null || true
        if has_unit "$SANDBOX"; then run systemctl stop "$SANDBOX"; fi
    fi
    had_dropin=""
    [ ! -e "$UNITS/ollama.service.d/couachgpt.conf" ] || had_dropin=1
    parts=$current/share/couachgpt
    [ -d "$parts/systemd" ] || parts=$HERE # the release is damaged
    if [ -d "$parts/systemd" ]; then
        each_part "$parts/systemd" | while read -r _ target; do remove "$target"; done
    fi
    rmdir "$UNITS/ollama.service.d" 2>/dev/null || true
    for each in $LINKS; do remove "/usr/local/$each"; done
    remove /run/couachgpt /run/couachgpt-ollama.env "$PREFIX"
    run systemctl daemon-reload
    if [ -n "$had_dropin" ]; then run systemctl try-restart ollama.service; fi
    if [ -n "$PURGE" ]; then
        remove "$DATA" "$CONFIG" "$CONFIG.new" /etc/couachgpt
        ! id "$ACCOUNT" >/dev/null 2>&1 || run userdel "$ACCOUNT"
        for each in "$ACCOUNT" couachgpt-admin couachgpt-monitor; do
            ! getent group "$each" >/dev/null || run groupdel "$each"
        done
    else
        say "Restent vos données ($DATA) et vos réglages
($CONFIG, /etc/couachgpt) ; --purge les retire aussi." \
            "Your data ($DATA) and settings
($CONFIG, /etc/couachgpt) stay; --purge removes them, too."
    fi
}

# --- the last words ---------------------------------------------------------------------------------

say_what_is_missing() {
    if [ ! -d /etc/polkit-1 ] && has_unit ollama.service; then
        warn "polkit n'est pas installé : CouachGPT ne pourra pas relancer Ollama s'il se bloque ; il faudra
    le faire à la main (systemctl restart ollama). Pour y remédier : apt-get install polkitd, puis relancer install.sh" \
            "polkit is not installed: CouachGPT will not be able to restart Ollama when it hangs; you will have to
    (systemctl restart ollama). To change that: apt-get install polkitd, then run install.sh again"
    fi
    if [ -n "$DROPIN_CHANGED" ] && systemctl --quiet is-active ollama.service; then
        say "Pour qu'Ollama prenne ses réglages : systemctl restart ollama" \
            "For Ollama to take its settings: systemctl restart ollama"
    fi
}

say_where() {
    current=$(release_of current)
    url=$("$current/bin/python" -I - "$(hostname -f 2>/dev/null || hostname)" "$(port)" <<'END'
import sys
from couachgptd import config
server = config.load().server
scheme = "https" if server.tls_certificate else "http"
print(server.public_url or f"{scheme}://{sys.argv[1]}:{sys.argv[2]}")
END
    )
    echo
    say "CouachGPT $("$current/bin/couachgptctl" --version | cut -d' ' -f2) est en service." \
        "CouachGPT $("$current/bin/couachgptctl" --version | cut -d' ' -f2) is in service."
    say "   Adresse            $url/" "   Address           $url/"
    if [ -n "$NEW" ] && link=$("$current/bin/couachgptctl" setup-link 2>/dev/null); then
        say "   1er administrateur $(echo "$link" | grep -o 'https\?://[^ ]*' | head -n 1)" \
            "   1st administrator $(echo "$link" | grep -o 'https\?://[^ ]*' | head -n 1)"
    fi
    if [ -n "$WANTS_TLS" ] && command -v openssl >/dev/null 2>&1; then
        print=$(openssl x509 -in "$TLS/server.crt" -noout -fingerprint -sha256 | cut -d= -f2)
        say "   Empreinte SHA-256  $print" "   SHA-256 of cert.  $print"
    fi
    if command -v ufw >/dev/null 2>&1 && ufw status 2>/dev/null | grep -q '^Status: active'; then
        open="ufw allow $(port)/tcp"
    elif command -v firewall-cmd >/dev/null 2>&1 && firewall-cmd --quiet --state 2>/dev/null; then
        open="firewall-cmd --permanent --add-port=$(port)/tcp && firewall-cmd --reload"
    else
        open="TCP $(port)"
    fi
    say "   À ouvrir           $open" "   To be opened      $open"
    say "   Opérateurs         usermod -aG couachgpt-admin NOM, puis couachgptctl status" \
        "   Operators         usermod -aG couachgpt-admin NAME, then couachgptctl status"
    if grep -q '^kind = "embedded"' "$CONFIG" && ! ls /var/lib/couachgpt/models/*.gguf >/dev/null 2>&1; then
        say "   Modèle             aucun encore : runuser -u couachgpt -- couachgptctl model fetch qwen2.5-coder-0.5b
                      (ou un fichier GGUF à vous dans /var/lib/couachgpt/models)" \
            "   Model             none yet: runuser -u couachgpt -- couachgptctl model fetch qwen2.5-coder-0.5b
                     (or a GGUF file of yours in /var/lib/couachgpt/models)"
    fi
}

parse "$@"
require_root
trap leave EXIT
trap 'exit 130' HUP INT TERM
case $ACTION in
    install) install_or_upgrade ;;
    rollback) roll_back ;;
    uninstall) uninstall ;;
esac
