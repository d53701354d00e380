"""Prints a token of the demo's issuer for a subject: python3 envoy/jwt/token.py alice@example.com"""

import base64
import hashlib
import hmac
import json
import sys

SECRET = b"EXAMPLE-secret-of-the-jwt-demo-32-bytes"


def part(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


header = part(json.dumps({"alg": "HS256", "kid": "demo", "typ": "JWT"}).encode())
claims = part(json.dumps({"iss": "https://sso.example.com", "sub": sys.argv[1]}).encode())
signature = part(hmac.new(SECRET, f"{header}.{claims}".encode(), hashlib.sha256).digest())
print(f"{header}.{claims}.{signature}")
