# What the certificates of an Edge Transport server are, and where they are used: a capture for certwright.
#
# This script only reads. It changes nothing and touches no private key. Run it in the Exchange Management Shell of the
# Edge server (Exchange 2013 or later), started as administrator. It makes one folder of text files in your user's
# folder; put it beside that of the organization, which the first script makes: certwright observe --print-script

