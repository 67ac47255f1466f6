15 13
user@host:/# apt-get -o Dpkg::Progress-Fancy=1 -o Dir::Ignore-Files-Silently::=.
 install --reinstall -y hello
Reading package lists... Done
Building dependency tree... Done
Reading state information... Done
0 upgraded, 0 newly installed, 1 reinstalled, 0 to remove and 123 not upgraded.
Need to get 0 B/53.1 kB of archives.
After this operation, 0 B of additional disk space will be used.
debconf: delaying package configuration, since apt-utils is not installed
(Reading database ... 113566 files and directories currently installed.)
Preparing to unpack .../hello_2.10-3_amd64.deb ...
Unpacking hello (2.10-3) over (2.10-3) ...
Setting up hello (2.10-3) ...
Processing triggers for man-db (2.11.2-2) ...
echo done
user@host:/#








