"""Bytes from addresses that strangers wrote down: limited, polite to hosts, and never from the private network.

reasons     why an address gave no bytes
addresses   which addresses may be asked
hosts       a budget for every host
web         one request, its redirects checked
answers     a stranger's answer becomes numbers, moments, addresses and bytes, or a reason
files       an address into a file; a later try resumes where an earlier one ended
scratch     folders of downloads that are not finished
turns       which download starts next
sites       pages of video sites, through yt-dlp
"""
