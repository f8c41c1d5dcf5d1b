#!/bin/sh
# Fills a folder with what /usr/bin/intelmq needs to run and nothing else. Called by the Containerfile, on Debian.
set -eu
root=$1
program=/usr/bin/intelmq

mkdir -p "$root/usr/bin" "$root/usr/lib/locale" "$root/etc/ssl/certs" "$root/etc/intelmq" "$root/var/lib/dpkg/status.d"
for folder in bin lib lib64; do
    if [ -d "/usr/$folder" ]; then ln -s "usr/$folder" "$root/$folder"; fi
done
strip -o "$root$program" "$program"

libraries=$(ldd "$program")
if echo "$libraries" | grep 'not found'; then
    echo "error: add the Debian packages of these libraries to the stage \"root\" of deploy/image/Containerfile" >&2
    exit 1
fi

# Scanners for known faults read var/lib/dpkg/status.d, and licences want to be with what they are about.
note() {
    mkdir -p "$root/usr/share/doc/$1"
    if [ -e "/usr/share/doc/$1/copyright" ]; then cp "/usr/share/doc/$1/copyright" "$root/usr/share/doc/$1/"; fi
    dpkg-query -s "$1" >"$root/var/lib/dpkg/status.d/$1"
}

for library in $(echo "$libraries" | grep -o '/[^ ]*'); do
    folder=$(realpath "$(dirname "$library")")
    mkdir -p "$root$folder"
    cp -L "$library" "$root$folder/"
    # Debian's packages name some files below /lib, some below /usr/lib.
    file=$(realpath "$library")
    package=$(dpkg -S "$file" 2>/dev/null || dpkg -S "${file#/usr}")
    note "${package%%:*}"
done

cp -R /usr/lib/locale/C.utf8 "$root/usr/lib/locale/"
cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
note ca-certificates
echo 'hosts: files dns' >"$root/etc/nsswitch.conf"
printf '%s\n' 'root:x:0:0:root:/:/nologin' 'intelmq:x:65532:65532:IntelMQ:/var/lib/intelmq:/nologin' >"$root/etc/passwd"
printf '%s\n' 'root:x:0:' 'intelmq:x:65532:' >"$root/etc/group"

install -d -m 1777 "$root/tmp"
install -d -m 700 -o 65532 -g 65532 "$root/var/lib/intelmq" "$root/run/intelmq"
