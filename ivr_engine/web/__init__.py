"""What browsers and machines see over HTTP. Knows aiohttp; decides nothing."""
