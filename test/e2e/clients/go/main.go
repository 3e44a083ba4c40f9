// Writes rows with go-sql-driver through the Secret's string as it is: see ../../clientPrograms.ts.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/go-sql-driver/mysql"
)

func read(key string) string {
	value, err := os.ReadFile(os.Getenv("SECRET") + "/" + key)
	if err != nil {
		panic(err)
	}
	return string(value)
}

func main() {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(read("ca.crt")))
	if err := mysql.RegisterTLSConfig("tidesql", &tls.Config{RootCAs: roots}); err != nil {
		panic(err)
	}
	db, err := sql.Open("mysql", read("go"))
	if err != nil {
		panic(err)
	}
	go func() {
		io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	for id := 1; ; id++ {
		if _, err := db.Exec(fmt.Sprintf("INSERT INTO %s (id) VALUES (%d)", os.Getenv("TABLE"), id)); err != nil {
			fmt.Fprintln(os.Stderr, err)
		} else {
			fmt.Println(id)
		}
		time.Sleep(50 * time.Millisecond)
	}
}
