# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Installs and unpacks what tests/packages names. Sourced; needs `root` (the project's folder) and a network the first time.
#
#   install_packages KIND        apt-get installs what is missing of that kind; needs to be root
#   unpack_sources               unpacks kind source below build/parts/source
#   unpack_parts [1.6|1.7|2.1]   unpacks kind parts below build/parts, without installing; default 1.6
#   unpack_tuf                   unpacks kind tuf
#   unpack_peer                  unpacks kind peer, which runs in its own Debian's libc
#   unpack_apart NAME            unpacks that part, of the suite that the list names, below build/parts/NAME
#   unpack_root SUITE            unpacks kind newer and all that it depends on below build/parts/root-SUITE
#   unpack_builder SUITE         the same of kind build, below build/parts/builder-SUITE
#   unpack_sysroot ARCHITECTURE  unpacks the libraries of kind build of another architecture, with a list of what came from
#                                where, below build/parts/sysroot-ARCHITECTURE
#   unpack_machine PACKAGE       makes the machine_folder, a Debian folder that boots and where PACKAGE can be installed:
#                                Debian 12's, or that of CRIVET_MACHINE=trixie|sid
#
# All say what they do on stderr, and do nothing when there is nothing to do.

readonly parts_dir=$root/build/parts

# packages_of KIND: one name a line, as written in the list.
packages_of() {
  awk -v kind="$1" '$1 !~ /^#/ && $2 == kind { print $1 }' "$root/tests/packages"
}

is_installed() {
  [[ $(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) == installed ]]
}

# A fresh Debian has no package lists, an old one has lists of packages that are gone: on a failure, update once.
with_fresh_lists() {
  if ! "$@" >/dev/null 2>&1; then
    echo "  updating the package lists" >&2
    apt-get -qq update >&2
    "$@" >/dev/null
  fi
}

# download_build_packages NAME...: into apt's cache, with what they depend on.
download_build_packages() {
  apt-get install -y -qq --no-install-recommends --download-only "$@" </dev/null
}

install_packages() {
  local name missing=()
  for name in $(packages_of "$1"); do
    is_installed "$name" || missing+=("$name")
  done
  [[ ${#missing[@]} -gt 0 ]] || return 0
  echo "Installing ${#missing[@]} packages: ${missing[*]}" >&2
  with_fresh_lists download_build_packages "${missing[@]}"
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" </dev/null |
    awk '/^Setting up/ && ++n % 25 == 0 { print "  " n " packages set up"; fflush() }' >&2
}

# The suite whose containerd has this version; empty for the running Debian's own.
suite_of_containerd() {
  case $1 in
    1.6) ;;
    1.7) echo trixie ;;
    2.1) echo sid ;;
    *) echo "unknown containerd version: $1 (1.6, 1.7 or 2.1)" >&2 && return 64 ;;
  esac
}

# The folder that holds the binaries of a suite's packages.
parts_root() {
  echo "$parts_dir/${1:-bookworm}"
}

# fetch FOLDER SUITE NAME...: downloads packages into FOLDER; an empty SUITE is the running Debian's own.
fetch() {
  local folder=$1 suite=$2
  shift 2
  if [[ -z $suite ]]; then
    (cd "$folder" && with_fresh_lists apt-get -qq -o APT::Sandbox::User=root download "$@")
    return
  fi
  # Another suite's lists stay beside its parts; the machine's own lists and preferences are not touched, and what it has
  # installed, from wherever, does not count.
  mkdir -p "$folder/lists/partial"
  touch "$folder/status"
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian $suite main" \
    >"$folder/sources.list"
  local options=(-qq -o APT::Sandbox::User=root -o "Dir::Etc::SourceList=$folder/sources.list"
    -o Dir::Etc::SourceParts=/dev/null -o Dir::Etc::PreferencesParts=/dev/null -o "Dir::State::Lists=$folder/lists"
    -o "Dir::State::status=$folder/status" -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache=)
  apt-get "${options[@]}" update >&2
  (cd "$folder" && apt-get "${options[@]}" download "$@") >&2
  rm -rf "$folder/lists"
}

# fetch_sources FOLDER NAME...: downloads source packages of the running Debian into FOLDER.
fetch_sources() {
  local folder=$1 suite
  shift
  suite=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
  mkdir -p "$folder/lists/partial"
  echo "deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian $suite main" \
    >"$folder/sources.list"
  local options=(-qq -o APT::Sandbox::User=root -o "Dir::Etc::SourceList=$folder/sources.list"
    -o Dir::Etc::SourceParts=/dev/null -o "Dir::State::Lists=$folder/lists" -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache=)
  apt-get "${options[@]}" update >&2
  (cd "$folder" && apt-get "${options[@]}" source --download-only "$@") >&2
  rm -rf "$folder/lists"
}

# The patches of these packages concern their documents and tests: what is unpacked is upstream's archive as Debian has it.
unpack_sources() {
  local names=() name target=$parts_dir/source
  mapfile -t names < <(packages_of source)
  mkdir -p "$parts_dir"
  (
    flock 9
    [[ $(cat "$target/.unpacked" 2>/dev/null) != "${names[*]}" ]] || exit 0
    echo "Unpacking the sources of ${names[*]} into ${target#"$root"/}" >&2
    rm -rf "$target"
    mkdir -p "$target/.download"
    fetch_sources "$target/.download" "${names[@]}"
    for name in "${names[@]}"; do
      mkdir "$target/$name"
      tar --extract --directory "$target/$name" --strip-components 1 --file "$target/.download/${name}"_*.orig.tar.*
      awk '/^Version:/ { print $2; exit }' "$target/.download/${name}"_*.dsc >"$target/$name.version"
    done
    rm -rf "$target/.download"
    echo "${names[*]}" >"$target/.unpacked"
  ) 9>"$parts_dir/.lock"
}

# unpack_suite SUITE NAME...: unpacks packages of a suite (empty: the running Debian's) unless that was done before.
unpack_suite() {
  local suite=$1 target stamp
  shift
  target=${unpacked_into:-$(parts_root "$suite")}
  stamp="$target/.unpacked"
  [[ $(cat "$stamp" 2>/dev/null) != "$*" ]] || return 0
  echo "Unpacking the parts${suite:+ of $suite} into ${target#"$root"/}: $*" >&2
  rm -rf "$target"
  mkdir -p "$target/.debs"
  fetch "$target/.debs" "$suite" "$@"
  local deb
  for deb in "$target"/.debs/*.deb; do
    dpkg-deb --extract "$deb" "$target"
  done
  rm -rf "$target/.debs"
  echo "$*" >"$stamp"
}

unpack_parts() {
  local suite names=() name
  suite=$(suite_of_containerd "${1:-1.6}")
  for name in $(packages_of parts); do
    [[ $name == */* ]] || names+=("$name")
  done
  mkdir -p "$parts_dir"
  (
    flock 9  # another test may be at it
    unpack_suite "" "${names[@]}"
    [[ -z $suite ]] || unpack_suite "$suite" containerd
  ) 9>"$parts_dir/.lock"
}

# Packages of kind tuf, and the rest of what they need is of kind build.
unpack_tuf() {
  local name debian_12=() newer=()
  for name in $(packages_of tuf); do
    case $name in
      */sid) newer+=("${name%/sid}") ;;
      *) debian_12+=("$name") ;;
    esac
  done
  mkdir -p "$parts_dir"
  (
    flock 9
    unpacked_into=$parts_dir/tuf unpack_suite "" "${debian_12[@]}"
    unpacked_into=$parts_dir/tuf-sid unpack_suite sid "${newer[@]}"
  ) 9>"$parts_dir/.lock"
}

unpack_peer() {
  local names
  mapfile -t names < <(packages_of peer)
  mkdir -p "$parts_dir"
  (
    flock 9
    unpacked_into=$parts_dir/peer unpack_suite sid "${names[@]%/sid}"
  ) 9>"$parts_dir/.lock"
}

# A part that few tests need stays out of what all of them wait for.
unpack_apart() {
  local name
  name=$(packages_of parts | grep "^$1/") || { echo "tests/packages names no suite for $1" >&2 && return 64; }
  mkdir -p "$parts_dir"
  (
    flock 9
    unpacked_into=$parts_dir/$1 unpack_suite "${name#*/}" "$1"
  ) 9>"$parts_dir/.lock"
}

# fetch_whole FOLDER SUITE NAME...: downloads packages and all that they depend on, as for a machine that has nothing, of
# $unpacked_architecture where that is set. With fetch_how=--simulate it only says what it would install.
fetch_whole() {
  local folder=$1 suite=$2
  shift 2
  mkdir -p "$folder"/{lists,archives}/partial
  touch "$folder/status"
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian $suite main" \
    >"$folder/sources.list"
  local options=(-qq -o APT::Sandbox::User=root -o "Dir::Etc::SourceList=$folder/sources.list"
    -o Dir::Etc::SourceParts=/dev/null -o Dir::Etc::PreferencesParts=/dev/null -o "Dir::State::Lists=$folder/lists"
    -o "Dir::State::status=$folder/status" -o "Dir::Cache::archives=$folder/archives" -o Dir::Cache::pkgcache=
    -o Dir::Cache::srcpkgcache=)
  [[ -z ${unpacked_architecture:-} ]] ||
    options+=(-o "APT::Architecture=$unpacked_architecture" -o "APT::Architectures::=$unpacked_architecture")
  apt-get "${options[@]}" update >&2
  apt-get "${options[@]}" install -y --no-install-recommends "${fetch_how:---download-only}" "$@" </dev/null >&2
}

unpack_root() { unpack_whole "$parts_dir/root-$1" "$1" newer; }
# With what every Debian has, so that no package depends on it.
unpack_builder() {
  unpack_whole "$parts_dir/builder-$1" "$1" build bash coreutils dash diffutils findutils grep gzip hostname libc-bin mawk sed tar
}

# A cross compiler takes it for another machine's root. busybox is the node agent's.
unpack_sysroot() {
  local suite dev_packages
  suite=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
  # The others of that kind run while building, so they are this machine's own; of this one gRPC's CMake files ask whether it
  # is there.
  mapfile -t dev_packages < <(packages_of build | grep -E -e '-dev$' | grep -vx dpkg-dev)
  unpacked_architecture=$1 unpack_whole "$parts_dir/sysroot-$1" "$suite" none "${dev_packages[@]}" \
    protobuf-compiler-grpc busybox-static
}

# keep_names TARGET DEB: writes into the folder's own dpkg database that the package is there, as far as dpkg-query and
# dpkg-shlibdeps ask.
keep_names() {
  local dpkg=$1/var/lib/dpkg name file
  mkdir -p "$dpkg"/{info,updates} "$1/.control"
  # Packages of both architectures may be asked for, each by its own name.
  echo 1 >"$dpkg/info/format"
  { dpkg --print-architecture && printf '%s\n' "${unpacked_architecture:-}"; } | sed '/^$/d' >"$dpkg/arch"
  name=$(dpkg-deb --field "$2" Package)
  [[ $(dpkg-deb --field "$2" Multi-Arch) != same ]] || name+=:$(dpkg-deb --field "$2" Architecture)
  dpkg-deb --control "$2" "$1/.control"
  for file in symbols shlibs; do
    [[ ! -e $1/.control/$file ]] || cp "$1/.control/$file" "$dpkg/info/$name.$file"
  done
  dpkg-deb --fsys-tarfile "$2" | tar --list | sed 's,^\.,,; s,/$,,; s,^$,/.,' >"$dpkg/info/$name.list"
  { sed 's/^Package: .*/&\nStatus: install ok installed/' "$1/.control/control" && echo; } >>"$dpkg/status"
  rm -r "$1/.control"
}

# relative_links TARGET: links of the folder that begin at the root lead to what is in it.
relative_links() {
  local link to
  find "$1" -type l -lname '/*' | while read -r link; do
    to=$1$(readlink "$link")
    [[ ! -e $to ]] || ln --symbolic --force --relative --no-dereference "$to" "$link"
  done
}

# unpack_whole TARGET SUITE KIND [NAME...]: only the files. No script of a package runs, so that a folder of another release
# is made in seconds.
unpack_whole() {
  local target=$1 suite=$2 names=() deb
  mapfile -t names < <(packages_of "$3")
  names+=("${@:4}")
  mkdir -p "$parts_dir"
  (
    flock 9
    [[ $(cat "$target/.unpacked" 2>/dev/null) != "${names[*]}" ]] || exit 0
    echo "Unpacking a folder of $suite into ${target#"$root"/}" >&2
    rm -rf "$target"
    mkdir -p "$target/.whole" "$target"/usr/{bin,lib,lib64,sbin}
    for deb in bin lib lib64 sbin; do ln -s "usr/$deb" "$target/$deb"; done
    fetch_whole "$target/.whole" "$suite" "${names[@]}"
    for deb in "$target"/.whole/archives/*.deb; do
      dpkg-deb --fsys-tarfile "$deb" | tar --extract --directory "$target" --keep-directory-symlink
      keep_names "$target" "$deb"
    done
    [[ -z ${unpacked_architecture:-} ]] || relative_links "$target"
    rm -rf "$target/.whole"
    echo "${names[*]}" >"$target/.unpacked"
  ) 9>"$target.lock"
}

# The Debian that is booted.
machine_suite() { echo "${CRIVET_MACHINE:-bookworm}"; }

# The folder that unpack_machine makes.
machine_folder() {
  local suite
  suite=$(machine_suite)
  [[ $suite == bookworm ]] && echo "$parts_dir/machine" || echo "$parts_dir/machine-$suite"
}

# unpack_machine PACKAGE: kind booted, containerd, runc, and what a .deb of ours depends on.
unpack_machine() {
  local target names stamp suite
  suite=$(machine_suite)
  target=$(machine_folder)
  stamp=$parts_dir/.${target##*/}
  names=$({
    packages_of booted
    echo containerd runc
    if [[ $suite == bookworm ]]; then
      # Alternatives and versions are for apt, which sees them again when it installs the package.
      dpkg-deb --field "$1" Depends | tr ',' '\n' | sed 's/[|(].*//'
    else
      # There the same libraries have other names, and provide these.
      packages_of newer
    fi
  } | xargs -n 1 | sort -u | paste -sd ,)
  mkdir -p "$parts_dir"
  (
    flock 9
    [[ $(cat "$stamp" 2>/dev/null) != "$names" ]] || exit 0
    echo "Making a folder of Debian's $suite that boots in ${target#"$root"/} (a minute)" >&2
    rm -rf "$target" "$stamp"
    debootstrap --variant=minbase --include="$names" "$suite" "$target" http://deb.debian.org/debian \
      >"$target.log" 2>&1 || {
      tail -n 5 "$target.log" >&2
      exit 1
    }
    rm -rf "$target"/var/cache/apt/archives/*.deb "$target"/var/lib/apt/lists/*
    echo "$names" >"$stamp"
  ) 9>"$stamp.lock"
}
