"""What every part uses: files, paths, addresses, times."""
