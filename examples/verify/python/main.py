"""A FastAPI app whose routes open with tokens of the WeChat login. Run: uvicorn main:app"""

import os
from typing import Annotated

import jwt
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

ISSUER, AUDIENCE = os.environ["TOKEN_ISSUER"], os.environ["TOKEN_AUDIENCE"]
keys = jwt.PyJWKClient(f"{ISSUER}/.well-known/jwks.json", lifespan=3600)


def member(credentials: Annotated[HTTPAuthorizationCredentials, Depends(HTTPBearer())]) -> dict:
    token = credentials.credentials
    try:
        decoded = jwt.decode_complete(
            token,
            keys.get_signing_key_from_jwt(token),
            algorithms=["RS256"],
            issuer=ISSUER,
            audience=AUDIENCE,
            options={"require": ["exp", "iat", "sub", "jti"]},
        )
    except jwt.PyJWKClientConnectionError as error:  # says nothing about the token
        raise HTTPException(503, "the login service cannot be reached") from error
    except jwt.PyJWTError as error:
        raise HTTPException(401, "not logged in, or the login has ended") from error
    if decoded["header"].get("typ") != "at+jwt":
        raise HTTPException(401, "not an access token")
    return decoded["payload"]


app = FastAPI()


@app.get("/whoami")
def whoami(claims: Annotated[dict, Depends(member)]) -> dict:
    return {"user_id": claims["sub"], "appid": claims["client_id"]}
