"""The bank: customers, accounts, ledger and PIN policy. Contains no word of telephony."""
