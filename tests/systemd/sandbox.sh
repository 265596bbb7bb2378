#!/usr/bin/env bash
# Boots a real systemd, as process 1 of namespaces of its own, on a throw-away view of this machine.
#
#   sandbox.sh start       boot it, and return once it is up (a second or less)
#   sandbox.sh exec CMD…   run a command inside, as root, with our input, output and exit status
#   sandbox.sh reboot      boot again: files stay, /run, /tmp and the journal are new
#   sandbox.sh stop        end all that runs inside and forget every change; needs no `start`
#   sandbox.sh pid         tell the pid that process 1 of the sandbox has out here
#
# Settings, in the environment:
#   SANDBOX_NAME    several may run side by side (default: couachgpt)
#   SANDBOX_BIND    "SOURCE:TARGET[:ro] …": folders shown live; the rest of / is as it was at `start`
#   SANDBOX_CGROUP  v2, or hybrid: version 1 too, where MemoryMax= and TasksMax= hold on a machine
#                   that has its controllers there (default: v2)
#   SANDBOX_SIZE    the most that may be written inside (default: 2g, in memory)
#   SANDBOX_ROOT    the system that is shown, another distribution's tree say (default: /, this machine)
#
# How: an overlay in a tmpfs above /, with a /proc, /dev, /run, /tmp, journal and cgroups of its own,
# and no network but a loopback of its own (`exec curl …` reaches what listens inside; the host's
# ports are not seen). What is enabled on the host is not started. Only the file system that holds /
# is shown: bind whatever is mounted elsewhere.
#
#   SANDBOX_BIND="$PWD:/src:ro" tests/systemd/sandbox.sh start
#   tests/systemd/sandbox.sh exec systemctl status
#   tests/systemd/sandbox.sh stop
#
# In the tests it is the fixture `sandbox` (conftest.py). It takes root with CAP_SYS_ADMIN, overlayfs,
# cgroup.kill (Linux 5.14) and Debian's systemd, dbus and util-linux; polkit rules need polkitd. It
# leaves nothing behind but, until `stop`, $DIR and cgroups of that name. No fence against malice:
# root inside has CAP_SYS_ADMIN.
set -eu
export LC_ALL=C

NAME=couachgpt-sandbox-${SANDBOX_NAME:-couachgpt}
DIR=/tmp/$NAME
SELF=$(readlink -f "$0")
SYSTEMD=/lib/systemd/systemd
START_SECONDS=30
STOP_ROUNDS=250 # of 20 ms
# What would reach through to the host's kernel.
WITHHELD=-sys_module,-sys_rawio,-sys_time,-syslog,-wake_alarm,-block_suspend,-mac_admin,-mac_override
CLEAN_PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
# Of all that the distribution's targets want, this is started; hardware, consoles and clocks are not ours.
WANTED='dbus\.(service|socket)|systemd-journald(\.service|\.socket|-dev-log\.socket)'
WANTED+='|systemd-tmpfiles-setup\.service|systemd-user-sessions\.service'

fail() {
    echo "sandbox.sh: $*" >&2
    exit 1
}

# -n: no trace in the host's /run/mount
mounted() { mount -n "$@"; }

# --- inside: the view, made once --------------------------------------------------------------------

# In mount, cgroup, network, host name and IPC namespaces of our own, not yet in a pid namespace.
hold_view() {
    mounted --make-rprivate /
    mkdir "$DIR/rw" "$DIR/root"
    mounted -t tmpfs -o "mode=755,size=${SANDBOX_SIZE:-2g}" sandbox "$DIR/rw"
    mkdir "$DIR/rw/upper" "$DIR/rw/work"
    mounted -t overlay -o "lowerdir=${SANDBOX_ROOT:-/},upperdir=$DIR/rw/upper,workdir=$DIR/rw/work" sandbox "$DIR/root"
    prepare_files "$DIR/root"
    while :; do
        status=0
        unshare --pid --mount --fork --kill-child "$SELF" _boot || status=$?
        # SIGHUP is what the system call of a reboot does to process 1 of a namespace.
        [ -e "$DIR/again" ] || [ "$status" = 129 ] || exit "$status"
        rm -f "$DIR/again" "$DIR/init"
    done
}

prepare_files() {
    local root=$1 wish folder
    # Only what tests enable is enabled.
    rm -rf "$root/etc/systemd/system"
    mkdir -p "$root/etc/systemd/system" "$root/etc/systemd/journald.conf.d" \
        "$root/etc/systemd/system.conf.d"
    for wish in "$root"/lib/systemd/system/*.target.wants/*; do
        [[ ! ${wish##*/} =~ ^($WANTED)$ ]] || continue
        folder=$root/etc/systemd/system/$(basename "$(dirname "$wish")")
        mkdir -p "$folder"
        ln -s /dev/null "$folder/${wish##*/}"
    done
    ln -s /lib/systemd/system/multi-user.target "$root/etc/systemd/system/default.target"
    printf '[Journal]\nStorage=volatile\nRateLimitIntervalSec=0\nReadKMsg=no\nAudit=no\nForwardToSyslog=no\n' \
        >"$root/etc/systemd/journald.conf.d/sandbox.conf"
    # A unit that hangs must not hold up a run; its own times win.
    printf '[Manager]\nDefaultTimeoutStartSec=30s\nDefaultTimeoutStopSec=15s\n' \
        >"$root/etc/systemd/system.conf.d/sandbox.conf"
    : >"$root/etc/fstab"
    echo sandbox >"$root/etc/hostname"
    tr -d - </proc/sys/kernel/random/uuid >"$root/etc/machine-id"
    # Images of containers often forbid packages to start their service.
    rm -f "$root/usr/sbin/policy-rc.d"
}

# --- inside: each boot ------------------------------------------------------------------------------

# Process 1 of a new pid namespace: gives it what a kernel gives, turns round, becomes systemd.
boot() {
    local root=$DIR/root safe=nosuid,nodev,noexec each
    identity self >"$DIR/init" # /proc is the host's still: so are these pids
    mounted --make-rprivate /
    mounted --bind "$root" "$root"
    cd "$root"
    mkdir -p proc sys dev run tmp
    mounted -t proc -o $safe proc proc
    for each in sys sysrq-trigger irq bus fs; do # the host kernel's switches
        [ -e "proc/$each" ] || continue
        mounted --bind "proc/$each" "proc/$each"
        mounted -o "remount,bind,ro,$safe" "proc/$each"
    done
    mounted -t sysfs -o "ro,$safe" sysfs sys
    mount_cgroups sys/fs/cgroup "rw,$safe"
    mount_devices dev
    mounted -t tmpfs -o nosuid,nodev,mode=755 tmpfs run
    mounted -t tmpfs -o nosuid,nodev,mode=1777 tmpfs tmp
    mkdir run/lock run/before
    for each in ${SANDBOX_BIND:-}; do
        bind "$each"
    done
    hostname sandbox
    pivot_root . run/before
    cd /
    umount -n -l /run/before
    rmdir /run/before
    mounted --make-rshared / # as on a booted machine
    exec setpriv --bounding-set "$WITHHELD" env -i container=sandbox PATH=$CLEAN_PATH TERM=dumb \
        $SYSTEMD --system --show-status=no --log-target=journal-or-kmsg
}

mount_cgroups() {
    local folder=$1 options=$2 number names path
    if [ "${SANDBOX_CGROUP:-v2}" = v2 ]; then
        mounted -t cgroup2 -o "$options" cgroup2 "$folder"
        return
    fi
    mounted -t tmpfs -o mode=755 tmpfs "$folder"
    mkdir "$folder/unified"
    mounted -t cgroup2 -o "$options" cgroup2 "$folder/unified"
    while IFS=: read -r number names path; do
        [ "$number" != 0 ] || continue
        mkdir "$folder/${names#name=}"
        case $names in name=*) names=none,$names ;; esac
        mounted -t cgroup -o "$options,$names" cgroup "$folder/${names#none,name=}"
    done </proc/self/cgroup
    mounted -o remount,ro "$folder"
}

mount_devices() {
    local folder=$1 each
    mounted -t tmpfs -o nosuid,mode=755,size=64k tmpfs "$folder"
    for each in null zero full random urandom tty; do
        : >"$folder/$each"
        mounted --bind "/dev/$each" "$folder/$each"
    done
    mkdir "$folder/pts" "$folder/shm"
    mounted -t devpts -o newinstance,nosuid,noexec,ptmxmode=666,mode=620,gid=5 devpts "$folder/pts"
    mounted -t tmpfs -o nosuid,nodev,mode=1777 tmpfs "$folder/shm"
    ln -s pts/ptmx "$folder/ptmx"
    ln -s /proc/self/fd "$folder/fd"
    for each in 0:stdin 1:stdout 2:stderr; do
        ln -s "fd/${each%:*}" "$folder/${each#*:}"
    done
}

# SOURCE:TARGET[:ro], below the folder we are in.
bind() {
    local source target rest
    IFS=: read -r source target rest <<<"$1"
    mkdir -p ".$target"
    mounted --rbind "$source" ".$target"
    [ "$rest" != ro ] || mounted -o remount,bind,ro ".$target"
}

# --- outside ----------------------------------------------------------------------------------------

# "PID BIRTH" of a process that lives; nothing, and a failure, for one that is gone or a zombie.
identity() {
    local stat pid
    { read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 1
    pid=${stat%% *}
    # shellcheck disable=SC2086 # its words are what is wanted
    set -- ${stat##*) }
    case $1 in Z | X) return 1 ;; esac
    echo "$pid ${20}"
}

# The pid of the systemd inside, once it is that.
inner_pid() {
    local known pid
    { read -r known <"$DIR/init"; } 2>/dev/null || return 1
    pid=${known% *}
    [ "$(identity "$pid")" = "$known" ] && [ "$(<"/proc/$pid/comm")" = systemd ] && echo "$pid"
}

# Our cgroups, one a line: version 2 at its root, each of version 1 below the one that we are in.
cgroup_folders() {
    local number names path kind where options each
    while IFS=: read -r number names path; do
        [ "$number" = 0 ] || [ "${SANDBOX_CGROUP:-v2}" = hybrid ] || continue
        while read -r _ where kind options _; do
            if [ "$number" = 0 ]; then
                [ "$kind" != cgroup2 ] || { echo "$where/$NAME" && break; }
            elif [ "$kind" = cgroup ]; then
                for each in ${options//,/ }; do
                    [ "$each" != "${names%%,*}" ] || { echo "$where${path%/}/$NAME" && break 2; }
                done
            fi
        done </proc/self/mounts
    done </proc/self/cgroup
}

make_cgroups() {
    local folder each
    cgroup_folders >"$DIR/cgroups"
    while read -r folder; do
        mkdir "$folder" "$folder/exec" || fail "no cgroup can be made at $folder"
        [ -e "$folder/cgroup.clone_children" ] && [ -e "$folder/cpuset.cpus" ] || continue
        for each in "$folder" "$folder/exec"; do # one of version 1 takes nobody until it is filled
            cat "$each/../cpuset.cpus" >"$each/cpuset.cpus"
            cat "$each/../cpuset.mems" >"$each/cpuset.mems"
        done
        echo 1 >"$folder/cgroup.clone_children"
    done <"$DIR/cgroups"
}

enter_cgroups() {
    local folder
    while read -r folder; do
        mkdir -p "$folder$1" # systemd removes empty ones of version 1
        echo "$BASHPID" >"$folder$1/cgroup.procs"
    done <"$DIR/cgroups"
}

run_inside() {
    local pid=$1
    shift
    (
        enter_cgroups /exec
        exec nsenter -t "$pid" --mount --uts --ipc --net --pid --cgroup --root --wd -- \
            setpriv --bounding-set "$WITHHELD" env -i PATH=$CLEAN_PATH HOME=/root USER=root \
            LOGNAME=root SHELL=/bin/sh TERM=dumb LANG=C.UTF-8 SYSTEMD_PAGER='' SYSTEMD_COLORS=0 "$@"
    )
}

wait_up() {
    local ends=$((SECONDS + START_SECONDS)) pid
    while [ $SECONDS -lt $ends ]; do
        if pid=$(inner_pid) && [ -S "/proc/$pid/root/run/systemd/private" ]; then
            case $(run_inside "$pid" timeout $START_SECONDS systemctl is-system-running --wait) in
            running | degraded) return 0 ;;
            esac
        fi
        [ "$#" = 0 ] || identity "$1" >/dev/null || return 1
        sleep 0.05
    done
    return 1
}

start() {
    [ "$(id -u)" = 0 ] || fail "takes root"
    [ -x $SYSTEMD ] && [ -x /usr/bin/dbus-daemon ] || fail "takes the packages systemd and dbus"
    ! inner_pid >/dev/null || fail "$NAME runs already"
    stop # what a run that was killed has left
    mkdir -m 700 "$DIR"
    make_cgroups
    (
        # Before its cgroup namespace is made, whose root is where we are then.
        enter_cgroups ""
        # Whoever reads our output must not wait for the sandbox's end.
        for fd in /proc/self/fd/*; do
            fd=${fd##*/}
            [ "$fd" -le 2 ] || eval "exec $fd>&-"
        done
        exec setsid unshare --mount --uts --ipc --cgroup --net "$SELF" _hold
    ) </dev/null >"$DIR/log" 2>&1 &
    if ! wait_up $!; then
        cat "$DIR/log" >&2
        stop
        fail "it did not come up"
    fi
}

stop() {
    local folder round left
    for ((round = 0; round < STOP_ROUNDS; round++)); do
        left=0
        for folder in $(cat "$DIR/cgroups" 2>/dev/null || cgroup_folders); do
            [ -d "$folder" ] || continue
            [ ! -e "$folder/cgroup.kill" ] || echo 1 >"$folder/cgroup.kill"
            find "$folder" -depth -type d -exec rmdir {} + 2>/dev/null || left=1
        done
        [ $left = 1 ] || break
        sleep 0.02
    done
    rm -rf --one-file-system "$DIR"
    [ "${left:-0}" = 0 ] || fail "something inside does not end"
}

command=${1:-}
[ $# -eq 0 ] || shift
[ ! -e "$DIR" ] || [ -O "$DIR" ] || fail "$DIR is somebody else's"
case $command in
start) start ;;
exec)
    pid=$(inner_pid) || fail "$NAME does not run"
    run_inside "$pid" "$@"
    ;;
reboot)
    pid=$(inner_pid) || fail "$NAME does not run"
    : >"$DIR/again"
    rm "$DIR/init"
    kill -KILL "$pid"
    wait_up || fail "it did not come up again"
    ;;
stop) stop ;;
pid) inner_pid ;;
_hold) hold_view ;;
_boot) boot ;;
*)
    sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$SELF"
    exit 2
    ;;
esac
