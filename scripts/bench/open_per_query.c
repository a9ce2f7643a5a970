/* The lower bound of an evaluator that trusts no connection twice: every query on a connection of its own, opened
 * read-only, all values read and thrown away. No process of its own, no limits, no comparison.
 *
 *     open_per_query FILE
 *
 * FILE has a database file, a tab and a query on each line. Prints how many queries ran and failed, and how many rows
 * and bytes of values they had.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sqlite3.h>

static unsigned long long rows, bytes;

/* Runs one query; returns whether it came to its end. */
static int run(const char *database, const char *text) {
    sqlite3 *connection = NULL;
    sqlite3_stmt *statement = NULL;
    int done = 0;
    if (sqlite3_open_v2(database, &connection, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL) == SQLITE_OK
        && sqlite3_prepare_v2(connection, text, -1, &statement, NULL) == SQLITE_OK) {
        int code, columns = sqlite3_column_count(statement);
        while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
            rows++;
            for (int column = 0; column < columns; column++) {
                sqlite3_column_blob(statement, column);
                bytes += (unsigned long long)sqlite3_column_bytes(statement, column);
            }
        }
        done = code == SQLITE_DONE;
    }
    sqlite3_finalize(statement);
    sqlite3_close(connection);
    return done;
}

int main(int count, char **words) {
    FILE *file = count == 2 ? fopen(words[1], "r") : NULL;
    if (!file) {
        fprintf(stderr, "a file of lines of database, tab and query is needed\n");
        return 2;
    }
    char *line = NULL;
    size_t room = 0;
    unsigned long ran = 0, failed = 0;
    while (getline(&line, &room, file) > 0) {
        char *text = strchr(line, '\t');
        if (!text) {
            fprintf(stderr, "a line has no tab: %s", line);
            return 2;
        }
        *text++ = '\0';
        if (run(line, text)) ran++; else failed++;
    }
    free(line);
    fclose(file);
    printf("SQLite %s: %lu ran, %lu failed, %llu rows, %llu bytes\n", sqlite3_libversion(), ran, failed, rows, bytes);
    return 0;
}
