# What Exchange's certificates are, and where they are used: a capture for certwright.
#
# This script only reads. It changes nothing on any server and touches no private key. Run it in the Exchange Management
# Shell of one Mailbox server (Exchange 2013 or later), started as administrator. It makes one folder of text files in
# your user's folder; look into them if you like. What cannot be read, because you may not or because a server is down,
# is noted in a file of its own and does not stop the rest. No credentials are written.
#
# For an Edge Transport server there is a second script, to be run there: certwright observe --print-script --edge

