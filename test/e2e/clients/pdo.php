<?php
// Writes rows with PDO through the Secret's string as it is: see ../clientPrograms.ts.
function read(string $key): string
{
    return file_get_contents(getenv("SECRET") . "/" . $key);
}

stream_set_blocking(STDIN, false);
$connection = null;
for ($id = 1; !feof(STDIN); $id++) {
    fread(STDIN, 1);
    try {
        $connection ??= new PDO(read("php"), read("username"), read("password"), [
            PDO::MYSQL_ATTR_SSL_CA => getenv("SECRET") . "/ca.crt",
            PDO::MYSQL_ATTR_SSL_VERIFY_SERVER_CERT => true,
        ]);
        $connection->exec("INSERT INTO " . getenv("TABLE") . " (id) VALUES ($id)");
        echo "$id\n";
    } catch (PDOException $error) {
        fwrite(STDERR, $error->getMessage() . "\n");
        $connection = null;
    }
    usleep(50000);
}
