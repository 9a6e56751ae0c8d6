/*
** sm_jose.h: what a DPoP proof (RFC 9449) needs of a private key: its public
** coordinates, and a signature. Keys are those of `aws login`: elliptic, on
** the curve P-256, as PEM text (PKCS #8, or the older SEC 1).
**
** The key lives in OpenSSL's own memory for as long as a call lasts and is
** wiped there. A key that is encrypted is refused; nobody is asked for its
** password.
**
** Both functions answer
**   SM_OK
**   SM_ELIMIT   the text is longer than any such key
**   SM_ESYNTAX  the text holds no readable private key
**   SM_EARG     the key is of another kind, or on another curve
**   SM_ECRYPTO  OpenSSL refused
** and write nothing unless they answer SM_OK.
*/
#ifndef SM_JOSE_H
#define SM_JOSE_H

#include "sm_base.h"

SM_HIDDEN_BEGIN

/* Bytes of a coordinate, and of a number of a signature. */
#define SM_P256_SIZE 32

/*
** ES256 (RFC 7518, 3.4): ECDSA over SHA-256 of the message, the two numbers of
** the signature one after the other, 32 bytes each, highest byte first.
*/
int sm_jose_es256(sm_str pem, sm_str message,
                  unsigned char signature[2 * SM_P256_SIZE]);

/*
** The point that is public: two coordinates, highest byte first. Works also
** where the text leaves the public part out.
*/
int sm_jose_p256(sm_str pem, unsigned char x[SM_P256_SIZE],
                 unsigned char y[SM_P256_SIZE]);

SM_HIDDEN_END

#endif
