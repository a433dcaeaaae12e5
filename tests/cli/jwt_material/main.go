// SPDX-License-Identifier: Apache-2.0

// Makes an operator, an account and its users, as nsc does, in a folder: server.conf, user.creds,
// other.creds (of another operator) and user.nk with its public key in user.pub.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nkeys"
)

func check[T any](value T, err error) T {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return value
}

func public(key nkeys.KeyPair) string { return check(key.PublicKey()) }

// operator returns its JWT, the account's public key and JWT, and a file of credentials.
func operator() (string, string, string, []byte) {
	operatorKey := check(nkeys.CreateOperator())
	accountKey := check(nkeys.CreateAccount())
	userKey := check(nkeys.CreateUser())
	operatorClaims := jwt.NewOperatorClaims(public(operatorKey))
	operatorClaims.Name = "O"
	accountClaims := jwt.NewAccountClaims(public(accountKey))
	accountClaims.Name = "A"
	userClaims := jwt.NewUserClaims(public(userKey))
	userClaims.Name = "U"
	userJWT := check(userClaims.Encode(accountKey))
	creds := check(jwt.FormatUserConfig(userJWT, check(userKey.Seed())))
	return check(operatorClaims.Encode(operatorKey)), public(accountKey),
		check(accountClaims.Encode(operatorKey)), creds
}

func main() {
	folder := os.Args[1]
	write := func(name string, data []byte) {
		check(0, os.WriteFile(filepath.Join(folder, name), data, 0o600))
	}
	operatorJWT, account, accountJWT, creds := operator()
	_, _, _, other := operator()
	write("user.creds", creds)
	write("other.creds", other)
	write("server.conf", []byte(fmt.Sprintf("operator: %s\nresolver: MEMORY\nresolver_preload: { %s: %s }\n",
		operatorJWT, account, accountJWT)))
	user := check(nkeys.CreateUser())
	write("user.nk", append(check(user.Seed()), '\n'))
	write("user.pub", []byte(public(user)))
}
