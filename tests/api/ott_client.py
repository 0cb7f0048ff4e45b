"""A shop's client of the OTT system's API, as it would be written from its guide: no credentials, no keys.

`requests` reads the service's key from ~/.netrc.
"""

import sys

import requests

API = sys.argv[1]


def register(telegram_id, name, referred_by=None):
    answer = requests.post(
        f"{API}/users/create",
        json={
            "telegram_id": telegram_id,
            "username": name.lower(),
            "first_name": name,
            "last_name": None,
            "referred_by_code": referred_by,
            "device_id": f"device-{telegram_id}",
            "ip_address": "198.51.100.7",
        },
    )
    answer.raise_for_status()
    return answer.json()["referral_code"]


def sell(user_id, transaction_id):
    order = requests.post(
        f"{API}/orders/create",
        json={
            "user_id": user_id,
            "payment_method": "upi",
            "upi_id": f"user{user_id}@bank",
            "transaction_id": transaction_id,
        },
    ).json()
    paid = requests.post(
        f"{API}/orders/{order['order_id']}/payment-success",
        json={"transaction_id": transaction_id},
    )
    paid.raise_for_status()
    return paid.json()


def get(path):
    answer = requests.get(f"{API}{path}")
    answer.raise_for_status()
    return answer.json()


code = register(501, "Asha")
register(502, "Bina", code)
assert sell(502, "UTR-1")["status"] == "paid"
assert sell(502, "UTR-1")["status"] == "paid", "told again"
assert get("/users/501")["referral_code"] == code
assert get("/users/501/referral-tree")["referrals"][0]["user_id"] == "502"
assert get("/users/501/referral-stats")["total_earned"] == 28
wallet = get("/wallet/501")
assert (wallet["pending"], wallet["currency"]) == (28, "INR"), wallet
assert get("/wallet/501/transactions")["items"] == []
print("ott client: ok")
